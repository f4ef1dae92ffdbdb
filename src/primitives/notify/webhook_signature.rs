//! Signatures of webhooks, by the scheme of Standard Webhooks: HMAC-SHA256 of `id.timestamp.body`, in Base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;

use crate::model::IdempotencyKey;
use crate::system::hex;

/// What begins a key that is written in Base64.
const PREFIX: &str = "whsec_";

/// The headers that prove where a message comes from: `webhook-id`, `webhook-timestamp`, `webhook-signature`. The id is the same
/// for every attempt to send one message; the time is that of the attempt, so that a receiver can refuse old ones. `Err` says
/// what is wrong with the key.
pub(super) fn headers(
    key: &str,
    message: &IdempotencyKey,
    at: Timestamp,
    body: &[u8],
) -> Result<[(String, String); 3], String> {
    let key = match key.strip_prefix(PREFIX) {
        Some(encoded) => STANDARD.decode(encoded).map_err(|_| format!("what follows `{PREFIX}` is not Base64"))?,
        None => key.as_bytes().to_vec(),
    };
    if key.is_empty() {
        return Err("it is empty".to_owned());
    }
    // Our keys contain full stops, which separate the parts of what is signed.
    let id = format!("msg_{}", &hex(message.as_str().as_bytes())[..32]);
    let at = at.as_second().to_string();
    let mut signature = Hmac::<Sha256>::new_from_slice(&key).map_err(|error| error.to_string())?;
    for part in [id.as_bytes(), b".", at.as_bytes(), b".", body] {
        signature.update(part);
    }
    let signature = format!("v1,{}", STANDARD.encode(signature.finalize().into_bytes()));
    Ok([("webhook-id", id), ("webhook-timestamp", at), ("webhook-signature", signature)]
        .map(|(n, v)| (n.to_owned(), v)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::message::example;
    use super::*;

    fn signed(key: &str, second: i64, body: &[u8]) -> BTreeMap<String, String> {
        let at = Timestamp::from_second(second).expect("a time");
        headers(key, &example(4).idempotency_key, at, body).expect("the key is right").into()
    }

    /// Computed with Python's `hmac`, independently of the code above.
    #[test]
    fn a_signature_is_that_of_the_scheme() {
        let headers = signed("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(headers["webhook-id"], "msg_dc4544de6eb9cbdfe91c7486d486df53");
        assert_eq!(headers["webhook-timestamp"], "1614265330");
        assert_eq!(headers["webhook-signature"], "v1,F4EOQ9Rn5Gx/K+DwDm7cRbMsrw/Xi+xoMn2sx+aLq2E=");
    }

    #[test]
    fn another_body_time_or_key_gives_another_signature() {
        let signature = |key: &str, second: i64, body: &[u8]| signed(key, second, body)["webhook-signature"].clone();
        let one = signature("a plain text", 1, b"{}");
        assert_eq!(one, signature("whsec_YSBwbGFpbiB0ZXh0", 1, b"{}"), "Base64 of the same text");
        for other in [
            signature("another text", 1, b"{}"),
            signature("a plain text", 2, b"{}"),
            signature("a plain text", 1, b"{ }"),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn a_key_that_is_no_key_is_refused() {
        let refused =
            |key: &str| headers(key, &example(0).idempotency_key, Timestamp::UNIX_EPOCH, b"").expect_err("no key");
        assert_eq!(refused("whsec_§"), "what follows `whsec_` is not Base64");
        assert_eq!(refused("whsec_"), "it is empty");
        assert_eq!(refused(""), "it is empty");
    }
}
