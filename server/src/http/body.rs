//! Bodies that nobody wants to have.

use futures_util::{StreamExt as _, pin_mut};
use poem::Body;

/// Reads what a client still sends, but no more than so many bytes. A client that is refused while it sends, and then cut off, may
/// never see why.
pub(super) async fn discard(body: Body, most: usize) {
    let chunks = body.into_bytes_stream();
    pin_mut!(chunks);
    let mut read = 0;
    while let Some(Ok(chunk)) = chunks.next().await {
        read += chunk.len();
        if read > most {
            return;
        }
    }
}
