//! What can be imported, and where errors in it are reported.

use super::*;

#[test]
fn a_module_of_the_runbooks_own_folder() {
    let module = r#"fn change(x) { step "m" { act(x); } rollback { act(`u${x}`); } }"#;
    let ran = Test::new(r#"import "m" as m; m::change("a"); throw "x";"#).file("m.rhai", module).run();
    assert_eq!(ran.calls(), ["act a", "act ua"]);
}

#[test]
fn nothing_outside_the_folder_can_be_imported() {
    for path in ["../m", "/etc/passwd", "a/../../m", "./m", "a//b", "", "a\\\\b"] {
        let ran = Test::new(&format!("import \"{path}\" as m;")).file("../m.rhai", "").run();
        assert!(ran.fault().message.contains("is not a module"), "{path}: {:?}", ran.fault());
    }
}

#[test]
fn the_standard_library_is_there() {
    let ran = Test::new(r#"import "std/incident" as i; 1"#).run();
    assert_eq!(ran.value(), &Value::Int(1));
    let typo = Test::new(r#"import "std/incidnt" as i;"#).run();
    assert!(typo.fault().message.contains("did you mean `incident`?"), "{:?}", typo.fault());
}

#[test]
fn importing_must_not_act() {
    let ran = Test::new(r#"import "m" as m; 1"#).file("m.rhai", "act(\"a\");").run();
    assert!(ran.fault().message.contains("top level of a module"), "{:?}", ran.fault());
    assert!(ran.calls().is_empty());
}

#[test]
fn errors_in_a_module_name_its_file_and_line() {
    let ran = Test::new(r#"import "m" as m; m::change();"#)
        .file("m.rhai", "fn change() {\n  act(\"bad\");\n}")
        .fails("bad")
        .run();
    assert_eq!(ran.fault().site.as_deref(), Some("m.rhai:2:3"));
}

#[test]
fn a_module_that_imports_a_module() {
    let ran = Test::new(r#"import "a" as a; a::f();"#)
        .file("a.rhai", "import \"b\" as b; fn f() { import \"b\" as b; b::g() }")
        .file("b.rhai", "fn g() { act(\"deep\") }")
        .run();
    assert_eq!(ran.calls(), ["act deep"]);
}
