//! The page that lists all others.

use crate::primitives::{Registry, Signature};

use super::text::{GENERATED, sentence};

pub(super) fn page(registry: &Registry) -> String {
    let mut page = format!(
        "{GENERATED}# Reference\n\n\
        Everything that a runbook can call, and every driver that serves it.\n\n\
        - [The language](language.md): steps, rollbacks, parameters, and the calls that belong to it\n\
        - [Drivers](drivers.md): what stands in `lifeboat.toml`\n\
        - [Evidence](evidence.md): what each driver knows after a crash, and what only you can know\n\
        - [The driver protocol](driver-protocol.md): drivers that are programs of their own\n\n\
        ## Primitives\n\n| primitive | what it does |\n|---|---|\n"
    );
    for signature in registry.signatures() {
        page.push_str(&row(signature));
    }
    page
}

fn row(signature: &Signature) -> String {
    let name = signature.name;
    let link = if signature.is_language { format!("language.md#{name}") } else { format!("primitives/{name}.md") };
    format!("| [`{name}`]({link}) | {} |\n", sentence(signature.summary))
}
