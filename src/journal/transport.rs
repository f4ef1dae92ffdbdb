//! How a journal at a server is reached: by whoever speaks HTTP.

/// Carries requests to a server. The journal says what is in them, and makes sense of the answers.
pub trait Transport: Send + Sync {
    /// Sends JSON to `url`, and gives the status and the body of the answer. Blocks the thread. An `Err` says why there is no answer;
    /// the request may have been received all the same.
    fn post(&self, url: &str, body: Vec<u8>) -> Result<(u16, Vec<u8>), String>;
}
