//! Session tokens: what stands for a sealed value while a query runs.
//!
//! A content column of the view is the text of a place (which snapshot part, write, block, row and field), not the content.
//! Content is opened only where a value is used or leaves (see `plan` and `unseal`). Guarantees: a token opens nothing in
//! another session, since it carries the session's random nonce, so no stored or typed text can pass for one; the
//! function that makes tokens is not registered, so SQL cannot call it.

#![expect(clippy::wildcard_enum_match_arm, reason = "one form of expression makes tokens")]

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use datafusion::arrow::array::{Array as _, ArrayRef, AsArray as _, StringBuilder};
use datafusion::arrow::datatypes::{DataType, UInt32Type};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

#[cfg(test)]
mod tests;

/// Bytes of the random number that ties tokens to one session.
pub(crate) const NONCE_LEN: usize = 16;
const PLACE_LEN: usize = NONCE_LEN + 2 + 4 + 4 + 4 + 16;
/// Characters of a token: base64 of [`PLACE_LEN`] bytes.
const TOKEN_LEN: usize = (PLACE_LEN * 4).div_ceil(3);
/// Name of the function as plans show it.
const NAME: &str = "sealed";

/// Random number of one session.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Nonce(pub(crate) [u8; NONCE_LEN]);

impl std::fmt::Debug for Nonce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Nonce([redacted])")
    }
}

/// The block a sealed value lies in, within one snapshot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct BlockAt {
    /// Number of the batch or segment in the session's snapshot.
    pub(crate) part: u32,
    pub(crate) write_id: [u8; 16],
    pub(crate) block: u32,
}

/// Where one sealed value lies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct CellAt {
    pub(crate) block: BlockAt,
    /// Row within the write.
    pub(crate) row: u32,
    /// Index of the field in the schema the session works with.
    pub(crate) field: u16,
}

/// Reads a token of the session with this nonce; `None` for any other text.
pub(crate) fn parse(nonce: Nonce, token: &str) -> Option<CellAt> {
    if token.len() != TOKEN_LEN {
        return None;
    }
    let mut bytes = [0; PLACE_LEN];
    let read = URL_SAFE_NO_PAD.decode_slice(token, &mut bytes).ok()?;
    if read != PLACE_LEN {
        return None;
    }
    let (head, rest) = bytes.split_first_chunk::<NONCE_LEN>()?;
    if *head != nonce.0 {
        return None;
    }
    let (field, rest) = rest.split_first_chunk::<2>()?;
    let (part, rest) = rest.split_first_chunk::<4>()?;
    let (block, rest) = rest.split_first_chunk::<4>()?;
    let (row, rest) = rest.split_first_chunk::<4>()?;
    let write_id = *rest.first_chunk::<16>()?;
    Some(CellAt {
        block: BlockAt {
            part: u32::from_le_bytes(*part),
            write_id,
            block: u32::from_le_bytes(*block),
        },
        row: u32::from_le_bytes(*row),
        field: u16::from_le_bytes(*field),
    })
}

/// Writes tokens of one field; only what differs from row to row is written anew.
struct Writer {
    bytes: [u8; PLACE_LEN],
    text: [u8; TOKEN_LEN],
}

impl Writer {
    fn new(nonce: Nonce, field: u16) -> Self {
        let mut bytes = [0; PLACE_LEN];
        put(&mut bytes, 0, &nonce.0);
        put(&mut bytes, NONCE_LEN, &field.to_le_bytes());
        Self { bytes, text: [0; TOKEN_LEN] }
    }

    /// The token of a row; `None` cannot occur, base64 being ASCII of a fixed length.
    fn write(&mut self, block: &BlockAt, row: u32) -> Option<&str> {
        const PART: usize = NONCE_LEN + 2;
        put(&mut self.bytes, PART, &block.part.to_le_bytes());
        put(&mut self.bytes, PART + 4, &block.block.to_le_bytes());
        put(&mut self.bytes, PART + 8, &row.to_le_bytes());
        put(&mut self.bytes, PART + 12, &block.write_id);
        URL_SAFE_NO_PAD.encode_slice(self.bytes, &mut self.text).ok()?;
        std::str::from_utf8(&self.text).ok()
    }
}

fn put(bytes: &mut [u8; PLACE_LEN], at: usize, part: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at.saturating_add(part.len())) {
        place.copy_from_slice(part);
    }
}

/// The expression that makes the token of `field` from the hidden columns part, write, row and block.
pub(crate) fn sealed_cell(nonce: Nonce, field: u16, name: &str, hidden: [Expr; 4]) -> Expr {
    let function = SealedCell {
        nonce,
        field,
        name: name.to_owned(),
        signature: Signature::exact(
            vec![
                DataType::UInt32,
                DataType::FixedSizeBinary(16),
                DataType::UInt32,
                DataType::UInt32,
            ],
            Volatility::Immutable,
        ),
    };
    Arc::new(ScalarUDF::new_from_impl(function)).call(hidden.into())
}

/// Whether an expression makes tokens.
pub(crate) fn is_sealed_cell(expr: &Expr) -> bool {
    match expr {
        Expr::ScalarFunction(call) => call.func.inner().is::<SealedCell>(),
        _ => false,
    }
}

/// Makes the tokens of one field. Unregistered: it exists only inside the views.
#[derive(PartialEq, Eq, Hash, Debug)]
struct SealedCell {
    nonce: Nonce,
    field: u16,
    name: String,
    signature: Signature,
}

impl ScalarUDFImpl for SealedCell {
    fn name(&self) -> &str {
        NAME
    }

    fn schema_name(&self, _: &[Expr]) -> Result<String> {
        Ok(format!("{NAME}({})", self.name))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let arrays =
            args.args.iter().map(|arg| arg.to_array(rows)).collect::<Result<Vec<ArrayRef>>>()?;
        let [part, write_id, row, block] = arrays.as_slice() else {
            return exec_err!("a sealed value has four coordinates");
        };
        let (Some(part), Some(write_id), Some(row), Some(block)) = (
            part.as_primitive_opt::<UInt32Type>(),
            write_id.as_fixed_size_binary_opt(),
            row.as_primitive_opt::<UInt32Type>(),
            block.as_primitive_opt::<UInt32Type>(),
        ) else {
            return exec_err!("the coordinates of a sealed value have other types");
        };
        let mut tokens = StringBuilder::with_capacity(rows, rows.saturating_mul(TOKEN_LEN));
        let mut writer = Writer::new(self.nonce, self.field);
        for at in 0..rows {
            if block.is_null(at) || row.is_null(at) || part.is_null(at) || write_id.is_null(at) {
                tokens.append_null();
                continue;
            }
            let Ok(write_id) = write_id.value(at).try_into() else {
                return exec_err!("the coordinates of a sealed value have other types");
            };
            let block = BlockAt { part: part.value(at), write_id, block: block.value(at) };
            tokens.append_option(writer.write(&block, row.value(at)));
        }
        Ok(ColumnarValue::Array(Arc::new(tokens.finish())))
    }
}
