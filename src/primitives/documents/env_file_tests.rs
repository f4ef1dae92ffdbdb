//! What is read from env files, and what an edit leaves as it was.

use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> EnvFile {
    EnvFile::parse(text).expect("an env file")
}

fn values(text: &str) -> Vec<(String, String)> {
    parse(text).leaves().into_iter().map(|(path, value)| (path.to_string(), value.to_string())).collect()
}

fn set(text: &str, name: &str, value: impl Into<Value>) -> String {
    let mut file = parse(text);
    file.set(&KeyPath::name(name), &value.into()).expect("it is set");
    file.text()
}

#[test]
fn values_are_read_as_shells_read_them() {
    let text =
        "# top\nA=1\nexport B = two words  # why\nC=\"a \\\"b\\\" \\$c\\n\"\nD='$x # y'\nE=\nF=a#b\nG=\"one\ntwo\"\n";
    let expected = [
        ("A", "1"),
        ("B", "two words"),
        ("C", "a \"b\" $c\n"),
        ("D", "$x # y"),
        ("E", ""),
        ("F", "a#b"),
        ("G", "one\ntwo"),
    ];
    let expected: Vec<_> = expected.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    assert_eq!(values(text), expected);
    assert_eq!(values("A=1\nA=2\n"), [("A".to_owned(), "2".to_owned())], "the later one counts");
}

#[test]
fn an_edit_leaves_everything_else_as_it_was() {
    let text = "# pool\r\nexport SIZE=10   # connections\r\n\r\nNAME=\"a b\"\r\n";
    assert_eq!(set(text, "SIZE", 20), "# pool\r\nexport SIZE=20   # connections\r\n\r\nNAME=\"a b\"\r\n");
    assert_eq!(set(text, "NAME", "c"), "# pool\r\nexport SIZE=10   # connections\r\n\r\nNAME=\"c\"\r\n");
    assert_eq!(set(text, "NEW", true), format!("{text}NEW=true\r\n"));
    assert_eq!(set("A=1", "B", "x"), "A=1\nB=x\n", "a last line without an end gets one");
    assert_eq!(set("export A=1\n", "B", "x"), "export A=1\nexport B=x\n");
    assert_eq!(set("A=1\nB=2\nA=3\n", "A", 4), "A=1\nB=2\nA=4\n", "the one that counts is changed");
}

#[test]
fn what_needs_quotes_gets_them() {
    for (value, written) in [
        ("a b", "'a b'"),
        ("$HOME", "'$HOME'"),
        ("it's", "\"it's\""),
        ("it's $5", "\"it's \\$5\""),
        ("a\nb", "\"a\\nb\""),
        ("", ""),
        ("#x", "'#x'"),
        ("http://h:1/p?q=%20", "'http://h:1/p?q=%20'"),
    ] {
        let text = set("A=1\n", "A", value);
        assert_eq!(text, format!("A={written}\n"));
        assert_eq!(values(&text), [("A".to_owned(), value.to_owned())]);
    }
}

#[test]
fn a_key_goes_with_all_its_lines() {
    let mut file = parse("A=1\nB=\"x\ny\" # b\nC=3\nB=4\n");
    file.unset(&KeyPath::name("B")).expect("it is unset");
    assert_eq!(file.text(), "A=1\nC=3\n");
}

#[test]
fn what_is_no_env_file_is_refused_with_its_line() {
    for (text, why) in [
        ("A=1\nnonsense\n", "line 2: there is no `=`"),
        ("=x\n", "line 1: before the `=` stands no name"),
        ("two words=x\n", "line 1: before the `=` stands no name"),
        ("A=\"x\nB=2\n", "line 1: a quote is not closed"),
        ("A='x'y\n", "line 1: something stands behind the closing quote"),
    ] {
        assert_eq!(EnvFile::parse(text).expect_err(text), why);
    }
}

#[test]
fn what_an_env_file_cannot_hold_is_refused() {
    let mut file = parse("A=1\n");
    assert!(file.set(&KeyPath::name("A"), &Value::List(vec![])).expect_err("a list").contains("no array"));
    assert!(file.set(&KeyPath::name("A B"), &Value::Int(1)).expect_err("a name").contains("letters, digits"));
    assert!(file.set(&KeyPath::name("A"), &Value::from("\0")).expect_err("NUL").contains("NUL"));
    assert_eq!(file.text(), "A=1\n");
}

proptest! {
    #[test]
    fn whatever_is_written_is_read_again(value in "[^\0]{0,40}", quote in 0..3_usize) {
        let before = ["A=1\n", "A=\"1\"\n", "A='1'\n"][quote];
        let text = set(&format!("# c\n{before}B=2\n"), "A", value.as_str());
        let read = values(&text);
        prop_assert_eq!(&read[0].1, &value);
        prop_assert_eq!(&read[1].1, "2");
    }

    #[test]
    fn nothing_makes_it_panic(text in "[A-C=\"'#\\\\ \n$x\u{feff}é]{0,60}") {
        if let Ok(mut file) = EnvFile::parse(&text) {
            prop_assert_eq!(file.text(), text);
            let _ = file.set(&KeyPath::name("A"), &Value::from("v"));
            let _ = file.unset(&KeyPath::name("B"));
        }
    }
}
