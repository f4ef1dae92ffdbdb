//! What a certificate says: for which names, from whom, until when.

use jiff::Timestamp;
use x509_cert::Certificate as X509;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::Args;
use super::finding::{Finding, shorten};

/// How many names are shown.
const SHOWN: usize = 3;

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Certificate {
    /// The names of servers and their addresses.
    names: Vec<String>,
    subject: String,
    issuer: String,
    /// In seconds since 1970.
    ends: i64,
}

impl Certificate {
    /// Reads one (DER).
    pub(super) fn read(der: &[u8]) -> Result<Self, String> {
        let certificate = X509::from_der(der).map_err(|error| format!("the certificate cannot be read: {error}"))?;
        let certificate = certificate.tbs_certificate;
        let ends = certificate.validity.not_after.to_unix_duration().as_secs();
        let ends = i64::try_from(ends).map_err(|_| "the certificate's end cannot be read".to_owned())?;
        let names = certificate.get::<SubjectAltName>().ok().flatten().map(|(_, names)| names.0).unwrap_or_default();
        let names = names.iter().filter_map(|name| match name {
            GeneralName::DnsName(name) => Some(name.as_str().to_ascii_lowercase()),
            GeneralName::IpAddress(bytes) => address(bytes.as_bytes()),
            _ => None,
        });
        let (subject, issuer) = (common_name(&certificate.subject), common_name(&certificate.issuer));
        Ok(Self { names: names.collect(), subject, issuer, ends })
    }

    /// How many whole days are left; negative once it has expired.
    pub(super) fn days_left(&self, now: Timestamp) -> i64 {
        (self.ends - now.as_second()).div_euclid(86_400)
    }

    /// Whether it is for a server of this name. A `*` stands for one part of a name.
    fn is_for(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let parent = name.split_once('.').map(|(_, parent)| parent);
        self.names.iter().any(|own| *own == name || own.strip_prefix("*.").is_some_and(|own| Some(own) == parent))
    }

    /// For people: `a.example.org, b.example.org by Example CA`.
    pub(super) fn shown(&self) -> String {
        let mut names = self.names[..self.names.len().min(SHOWN)].join(", ");
        if self.names.is_empty() {
            names.clone_from(&self.subject);
        } else if self.names.len() > SHOWN {
            names = format!("{names} and {} more", self.names.len() - SHOWN);
        }
        shorten(&format!("{names} by {}", self.issuer), 160)
    }

    /// Its own name.
    pub(super) fn subject(&self) -> &str {
        &self.subject
    }
}

/// Fails or warns about days and names that are asked for. `limits` are days: [warn, fail].
pub(super) fn judge(
    certificate: &Certificate,
    limits: [Option<i64>; 2],
    args: &Args,
    now: Timestamp,
    finding: &mut Finding,
) {
    let left = certificate.days_left(now);
    finding.limit(limits, |limit| left < limit, |_| format!("days left on the certificate: {left}"));
    for name in args.tls_names.iter().flatten().filter(|name| !certificate.is_for(name)) {
        finding.fail(format!("the certificate is not for {name}"));
    }
}

/// The common name of somebody, or all that is said of them.
fn common_name(name: &x509_cert::name::Name) -> String {
    let all = name.to_string();
    let common = all.split([',', '+']).find_map(|part| part.trim().strip_prefix("CN=")).map(str::to_owned);
    common.unwrap_or(if all.is_empty() { "nobody".to_owned() } else { all })
}

fn address(bytes: &[u8]) -> Option<String> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(|bytes| std::net::Ipv4Addr::from(bytes).to_string()),
        16 => <[u8; 16]>::try_from(bytes).ok().map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(names: &[&str], year: i32) -> Vec<u8> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = rcgen::CertificateParams::new(names).expect("names");
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
            let read = Certificate::read(&certificate(&["localhost"], year)).expect("it reads");
            assert_eq!(read.days_left(at(&format!("{year}-03-01T00:00:00Z"))), 9);
            assert_eq!(read.days_left(at(&format!("{year}-03-09T00:00:01Z"))), 0);
            assert_eq!(read.days_left(at(&format!("{year}-03-10T00:00:01Z"))), -1);
        }
    }

    #[test]
    fn names_are_compared_as_browsers_do() {
        let read = Certificate::read(&certificate(&["Example.org", "*.example.org", "10.0.0.1", "::1"], 2030))
            .expect("it reads");
        for name in ["example.org", "EXAMPLE.org", "www.example.org", "10.0.0.1", "::1"] {
            assert!(read.is_for(name), "{name}");
        }
        for name in ["a.b.example.org", "org", "example.com", "xexample.org", "10.0.0.2"] {
            assert!(!read.is_for(name), "{name}");
        }
        assert_eq!(read.shown(), "example.org, *.example.org, 10.0.0.1 and 1 more by rcgen self signed cert");
    }

    #[test]
    fn what_is_no_certificate_is_an_error() {
        let error = Certificate::read(b"hello").expect_err("no certificate");
        assert!(error.starts_with("the certificate cannot be read"), "{error}");
    }
}
