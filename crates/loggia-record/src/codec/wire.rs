//! Reads protobuf's wire format without copying.
//!
//! Guarantees: never reads past the slice it was given, refuses groups, over-long integers and
//! field numbers out of range, and does not recurse (nesting is the caller's, who counts it).

use crate::error::Fault;

/// The value of one field.
#[derive(Clone, Copy)]
pub(crate) enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32,
    Bytes(&'a [u8]),
}

impl<'a> Wire<'a> {
    #[inline]
    pub(crate) fn bytes(self) -> Result<&'a [u8], Fault> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::Varint(_) | Self::Fixed64(_) | Self::Fixed32 => Err(Fault::WireType),
        }
    }

    #[inline]
    pub(crate) fn text(self) -> Result<&'a str, Fault> {
        match std::str::from_utf8(self.bytes()?) {
            Ok(text) => Ok(text),
            Err(_not_utf8) => Err(Fault::Utf8),
        }
    }

    #[inline]
    pub(crate) fn varint(self) -> Result<u64, Fault> {
        match self {
            Self::Varint(number) => Ok(number),
            Self::Bytes(_) | Self::Fixed64(_) | Self::Fixed32 => Err(Fault::WireType),
        }
    }

    #[inline]
    pub(crate) fn fixed64(self) -> Result<u64, Fault> {
        match self {
            Self::Fixed64(number) => Ok(number),
            Self::Bytes(_) | Self::Varint(_) | Self::Fixed32 => Err(Fault::WireType),
        }
    }

    /// An enumeration or int32, which keeps the low 32 bits.
    #[inline]
    pub(crate) fn int32(self) -> Result<i32, Fault> {
        let low = self.varint()? & u64::from(u32::MAX);
        u32::try_from(low).map(u32::cast_signed).map_err(|_too_large| Fault::Number)
    }
}

/// The fields of one message, in order.
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    #[inline]
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// The next field's number and value; `None` at the end of the message.
    #[inline]
    pub(crate) fn field(&mut self) -> Result<Option<(u32, Wire<'a>)>, Fault> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).unwrap_or(u32::MAX);
        if number == 0 || number > 0x1fff_ffff {
            return Err(Fault::FieldNumber);
        }
        let value = match tag & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(self.fixed64()?),
            2 => Wire::Bytes(self.bytes()?),
            3 | 4 => return Err(Fault::Group),
            5 => {
                self.take(4)?;
                Wire::Fixed32
            }
            _ => return Err(Fault::WireType),
        };
        Ok(Some((number, value)))
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, Fault> {
        match self.rest {
            [first, rest @ ..] if *first < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*first))
            }
            [first, second, rest @ ..] if *second < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*first & 0x7f) | (u64::from(*second) << 7))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, Fault> {
        let mut number = 0_u64;
        for (i, byte) in (0_u32..10).zip(self.rest) {
            let low = u64::from(byte & 0x7f);
            // The tenth byte holds bit 63 alone.
            if i == 9 && *byte > 1 {
                return Err(Fault::VarintTooLong);
            }
            number |= low << (7 * i);
            if *byte < 0x80 {
                let used = usize::try_from(i).unwrap_or(0) + 1;
                self.take(used)?;
                return Ok(number);
            }
        }
        Err(Fault::Truncated)
    }

    #[inline]
    fn bytes(&mut self) -> Result<&'a [u8], Fault> {
        let len = self.varint()?;
        match usize::try_from(len) {
            Ok(len) => self.take(len),
            Err(_too_large) => Err(Fault::Truncated),
        }
    }

    #[inline]
    fn fixed64(&mut self) -> Result<u64, Fault> {
        let (bytes, rest) = self.rest.split_first_chunk::<8>().ok_or(Fault::Truncated)?;
        self.rest = rest;
        Ok(u64::from_le_bytes(*bytes))
    }

    #[inline]
    fn take(&mut self, len: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(Fault::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }
}

/// Where `inner` begins within `outer`, in bytes; for error messages.
pub(crate) fn offset(outer: &[u8], inner: &[u8]) -> usize {
    inner.as_ptr().addr().saturating_sub(outer.as_ptr().addr()).min(outer.len())
}

#[cfg(test)]
mod tests;
