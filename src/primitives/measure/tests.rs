//! What `measure` promises.

use std::sync::Arc;

use serde_json::json;

use crate::model::{CaseResult, IdempotencyKey, Impact, ImpactKind, Key, Symbol, Unknown, Value};
use crate::primitives::{Driver, NoTarget, Preview, Registry};
use crate::system::{Act, Look, System};

use super::{Args, Measure};

fn look() -> Look {
    Look::new(Arc::new(System::new("/nowhere".into())))
}

fn args(args: serde_json::Value) -> Args {
    Value::from_json(args).decode().expect("arguments")
}

async fn preview(json: serde_json::Value) -> Preview {
    Driver::<Measure>::preview(&NoTarget, &args(json), &look()).await.expect("a preview")
}

#[tokio::test]
async fn the_figure_is_returned() {
    let key = IdempotencyKey::new("run", &Key::ROOT);
    for value in [json!("12s"), json!(42), json!(0.5), json!(true)] {
        let args = args(json!({ "name": "rows lost", "value": value }));
        assert_eq!(
            Driver::<Measure>::perform(&NoTarget, &args, &Act::grant(&look()), &key).await,
            Ok(Value::from_json(value))
        );
    }
}

#[tokio::test]
async fn a_plan_shows_it_even_when_it_is_not_known() {
    let shown = preview(json!({ "name": "rows lost", "value": 42, "unit": "rows" })).await;
    assert_eq!(
        (shown.symbol, shown.summary.as_str(), shown.output),
        (Symbol::Mark, "rows lost = 42 rows", Value::Int(42))
    );
    let shown = preview(json!({ "name": "rpo", "value": { "$unknown": "‹probe:db.value›" } })).await;
    assert_eq!((shown.summary.as_str(), shown.fault), ("rpo = ‹probe:db.value›", None));
    assert_eq!(shown.output, Value::Unknown(Unknown::labelled("probe:db.value")));
}

#[tokio::test]
async fn names_and_figures_fit_on_one_line_of_a_report() {
    for (name, value, message) in [
        ("RPO", json!(1), "measure: `RPO` cannot be the name of a figure"),
        ("", json!(1), "measure: `` cannot be the name of a figure"),
        ("rows  lost", json!(1), "measure: `rows  lost` cannot be the name of a figure"),
        ("rpo", json!([1]), "measure: the value of `rpo` is not a figure, but of type array"),
        ("rpo", json!(null), "measure: the value of `rpo` is not a figure, but nothing"),
        ("rpo", json!({ "$secret": "TOKEN" }), "measure: the value of `rpo` is not a figure, but of type secret"),
        (
            "rpo",
            json!("a\nb"),
            "measure: the value of `rpo` is not a figure, but an empty text or one of several lines",
        ),
    ] {
        let json = json!({ "name": name, "value": value });
        let key = IdempotencyKey::new("run", &Key::ROOT);
        let fault = Driver::<Measure>::perform(&NoTarget, &args(json.clone()), &Act::grant(&look()), &key)
            .await
            .expect_err(message);
        assert_eq!((fault.code.as_str(), fault.message.as_str()), ("argument", message));
        assert_eq!(preview(json).await.fault, Some(fault));
    }
}

#[test]
fn it_is_a_mark_that_returns_its_value() {
    let registry = Registry::empty().driver_without_target::<Measure>();
    let measure = registry.signature("measure").expect("declared");
    let args = Value::from_json(json!({ "name": "rpo", "value": "12s" }));
    assert_eq!(measure.impact(&args), Ok(Impact::of(ImpactKind::Mark)));
    assert_eq!(measure.likely(&args), Some(CaseResult::Returns("12s".into())));
    assert!(measure.arg("value").expect("declared").required && !measure.arg("unit").expect("declared").required);
    let unknown = Value::from_json(json!({ "name": "rpo", "value": 1, "units": "s" }));
    assert!(measure.impact(&unknown).expect_err("a slip").contains("units"));
}
