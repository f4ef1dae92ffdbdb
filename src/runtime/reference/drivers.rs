//! The page of the drivers: what stands in `lifeboat.toml`.

use std::fmt::Write as _;

use crate::config::TargetKind;
use crate::primitives::Registry;
use crate::primitives::targets::Deployment;

use super::text::{GENERATED, args};

pub(super) fn page(registry: &Registry) -> String {
    let mut page = format!("{GENERATED}{}", include_str!("drivers.md"));
    for kind in TargetKind::ALL {
        let drivers = registry.drivers(kind);
        let _ = write!(page, "\n## {}\n\nIn `[environments.ENVIRONMENT.{}.NAME]`.\n", title(kind), kind.table());
        if drivers.is_empty() {
            page.push_str("\nNo driver serves them.\n");
        }
        for driver in drivers {
            let _ = write!(page, "\n### {kind}: {driver}\n\n`driver = \"{driver}\"`. ");
            let served = registry.served_by(kind, driver).into_iter();
            let served: Vec<String> = served.map(|name| format!("[`{name}`](primitives/{name}.md)")).collect();
            let _ = write!(page, "Serves {}.\n\n", served.join(", "));
            page.push_str(&args(registry.settings(kind, driver).unwrap_or_default(), "It has no settings."));
        }
        if kind == TargetKind::Service {
            deployments(&mut page);
        }
    }
    page
}

/// What stands in the table `deploy` of a service.
fn deployments(page: &mut String) {
    page.push_str(
        "\n### Deploying a service\n\nIn `[environments.ENVIRONMENT.services.NAME.deploy]`, for services of every driver: how \
         [`deploy`](primitives/deploy.md) makes\na version live, and [`version`](primitives/version.md) knows which one is.\n",
    );
    for (driver, settings) in Deployment::reference() {
        let _ = write!(page, "\n#### deploy: {driver}\n\n`driver = \"{driver}\"`.\n\n");
        page.push_str(&args(&settings, "It has no settings."));
    }
}

fn title(kind: TargetKind) -> String {
    let name = kind.table();
    name[..1].to_uppercase() + &name[1..]
}
