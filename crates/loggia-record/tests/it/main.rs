//! Integration tests of the decoders through their public face.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

mod differential;
mod genai;
mod hostile;
mod rejections;
mod show;
mod text;
