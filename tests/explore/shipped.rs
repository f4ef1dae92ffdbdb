//! The runbooks that ship, in the environment that ships: no path breaks an invariant that is not waived with a reason.

use std::path::Path;
use std::time::Duration;

use lifeboat::model::Bound;
use lifeboat::runtime::{ExploreRequest, Lifeboat};

fn is_test(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("_test"))
}

#[test]
fn no_path_of_a_shipped_runbook_ends_badly() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lifeboat = Lifeboat::builder(root.join("lifeboat.toml")).build().expect("it is configured");
    let mut names: Vec<_> = std::fs::read_dir(root.join("runbooks")).expect("they are there").collect();
    let is_runbook = |path: &Path| path.extension().is_some_and(|e| e == "rhai") && !is_test(path);
    names.retain(|entry| entry.as_ref().is_ok_and(|entry| is_runbook(&entry.path())));
    assert!(names.len() > 8);
    for entry in names {
        let path = entry.expect("it is there").path();
        let text = std::fs::read_to_string(&path).expect("a text");
        let request = ExploreRequest {
            faults: Some(1),
            time: Duration::from_secs(60),
            paths: 4_000,
            ..ExploreRequest::new(&path)
        };
        let found = lifeboat.explore(&request).expect("it can be explored");
        let broken: Vec<_> = found.violations.iter().filter(|violated| violated.waived.is_none()).collect();
        assert!(broken.is_empty() && found.stuck.is_empty(), "{}: {broken:#?} {:#?}", path.display(), found.stuck);
        assert!(found.paths.well > 0, "{}: {:?}", path.display(), found.paths);
        // One of its calls is for the other way.
        let other_way = usize::from(text.contains("param on: bool"));
        assert_eq!(found.coverage.missed.len(), other_way, "{}: {:?}", path.display(), found.coverage.missed);
        let bounds = &found.bounds;
        assert!(bounds.iter().all(|bound| !matches!(bound, Bound::Time { .. })), "{}: {bounds:?}", path.display());
    }
}
