//! `configuration` of an env file, a JSON or a TOML document.

use std::collections::BTreeMap;

use crate::model::{Fault, Value};
use crate::primitives::Observer;
use crate::primitives::targets::{ConfigDocument, DocumentSyntax};
use crate::system::Look;

use super::{Args, Configuration, Output};

impl<S: DocumentSyntax> Observer<Configuration> for ConfigDocument<S> {
    async fn observe(&self, args: &Args, look: &Look) -> Result<Output, Fault> {
        let document = &self.document;
        let key = args.key.as_ref().map(|key| document.format.key(key)).transpose();
        let key = key.map_err(|why| Fault::new("argument", why).on(&document.name))?;
        let content = document.read(look)?;
        let wanted = content.leaves.into_iter().filter(|(path, _)| key.as_ref().is_none_or(|key| key.holds(path)));
        let (mut values, mut hidden, mut value) = (BTreeMap::new(), Vec::new(), Value::Null);
        for (path, found) in wanted {
            if document.secrets.hide(&path, &found) {
                hidden.push(path.to_string());
                continue;
            }
            if key.as_ref() == Some(&path) {
                value = found.clone();
            }
            values.insert(path.to_string(), found);
        }
        let found = !values.is_empty() || !hidden.is_empty();
        let detail = match (&args.key, values.len(), hidden.len()) {
            (Some(key), 0, 0) => format!("{key} is not there"),
            (Some(key), 0, 1) => format!("{key} is secret"),
            (Some(key), 1, 0) if values.contains_key(key) => format!("{key} is {value}"),
            (_, 1, 0) => "1 key".to_owned(),
            (_, plain, 0) => format!("{plain} keys"),
            (_, plain, secret) => format!("{} keys, {secret} of them secret", plain + secret),
        };
        Ok(Output { found, value, values, hidden, version: content.version, detail })
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests change the file that the driver meets")]
mod tests {
    use super::*;
    use crate::primitives::documents::testing::Bench;
    use crate::primitives::targets::{EnvFileSyntax, TomlSyntax};

    const TEXT: &str = "level = \"info\"\n[pool]\nsize = 10\n[auth]\napi_key = \"hunter2\"\n";

    async fn read<S: DocumentSyntax>(bench: &Bench, key: Option<&str>) -> Result<Output, Fault> {
        let args = Args { target: "app".to_owned(), key: key.map(str::to_owned) };
        Observer::<Configuration>::observe(&bench.driver::<S>(), &args, &bench.act).await
    }

    #[tokio::test]
    async fn all_keys_are_read_and_secrets_are_only_named() {
        let bench = Bench::new("app.toml", TEXT);
        let output = read::<TomlSyntax>(&bench, None).await.expect("it reads");
        assert_eq!(output.values.keys().collect::<Vec<_>>(), ["level", "pool.size"]);
        assert_eq!(
            (output.found, output.value.clone(), output.hidden.clone()),
            (true, Value::Null, vec!["auth.api_key".to_owned()])
        );
        assert_eq!(output.detail, "3 keys, 1 of them secret");
        assert!(!serde_json::to_string(&output).expect("JSON").contains("hunter2"));
        assert_eq!(output.version, read::<TomlSyntax>(&bench, None).await.expect("it reads").version);
    }

    #[tokio::test]
    async fn one_key_has_a_value_unless_it_is_secret_or_a_table() {
        let bench = Bench::new("app.toml", TEXT);
        let of = async |key| read::<TomlSyntax>(&bench, Some(key)).await.expect("it reads");
        let size = of("pool.size").await;
        assert_eq!((size.found, size.value, size.detail.as_str()), (true, Value::Int(10), "pool.size is 10"));
        let table = of("pool").await;
        assert_eq!((table.found, table.value, table.values.len()), (true, Value::Null, 1));
        let secret = of("auth.api_key").await;
        assert_eq!((secret.found, secret.value, secret.detail.as_str()), (true, Value::Null, "auth.api_key is secret"));
        let none = of("pool.none").await;
        assert_eq!((none.found, none.value, none.detail.as_str()), (false, Value::Null, "pool.none is not there"));
        assert_eq!(read::<TomlSyntax>(&bench, Some("a..b")).await.expect_err("no key").code, "argument");
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_named_without_showing_it() {
        let bench = Bench::new("app.env", "A=1\npassword hunter2\n");
        let fault = read::<EnvFileSyntax>(&bench, None).await.expect_err("no env file");
        assert_eq!(fault.code, "document-unreadable");
        assert!(fault.message.ends_with("app.env is no env file: line 2: there is no `=`"), "{}", fault.message);
        std::fs::remove_file(&bench.file).expect("removes");
        let fault = read::<EnvFileSyntax>(&bench, None).await.expect_err("no file");
        assert!(fault.message.contains("no such file"), "{}", fault.message);
    }
}
