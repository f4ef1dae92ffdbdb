//! When a certificate expires.

use jiff::Timestamp;
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// How many whole days are left until a certificate (DER) expires; negative once it has.
pub(super) fn days_left(der: &[u8], now: Timestamp) -> Result<i64, String> {
    let certificate = Certificate::from_der(der).map_err(|error| format!("the certificate cannot be read: {error}"))?;
    let end = certificate.tbs_certificate.validity.not_after.to_unix_duration().as_secs();
    let end = i64::try_from(end).map_err(|_| "the certificate's end cannot be read".to_owned())?;
    Ok((end - now.as_second()).div_euclid(86_400))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(year: i32) -> Vec<u8> {
        let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(year, 3, 10);
        let key = rcgen::KeyPair::generate().expect("a key");
        params.self_signed(&key).expect("a certificate").der().to_vec()
    }

    #[test]
    fn days_are_counted_down_to_the_end_and_beyond() {
        let at = |text: &str| text.parse::<Timestamp>().expect(text);
        // Before and after 2050 a certificate writes its dates in different ways.
        for year in [2027, 2060] {
            let der = certificate(year);
            assert_eq!(days_left(&der, at(&format!("{year}-03-01T00:00:00Z"))), Ok(9));
            assert_eq!(days_left(&der, at(&format!("{year}-03-09T00:00:01Z"))), Ok(0));
            assert_eq!(days_left(&der, at(&format!("{year}-03-10T00:00:01Z"))), Ok(-1));
        }
    }

    #[test]
    fn what_is_no_certificate_is_an_error() {
        let error = days_left(b"hello", Timestamp::UNIX_EPOCH).expect_err("no certificate");
        assert!(error.starts_with("the certificate cannot be read"), "{error}");
    }
}
