//! `probe` for `driver = "local"`: how full this machine's disk or memory is.

use super::misuse::check;
use super::space::{LIMITS, Space, measure_space};
use super::{Args, Output, Probe, Resource};
use crate::model::Fault;
use crate::primitives::Observer;
use crate::primitives::targets::Machine;
use crate::system::Look;

impl Observer<Probe> for Machine {
    async fn observe(&self, args: &Args, look: &Look) -> Result<Output, Fault> {
        let takes: Vec<&str> = std::iter::once("resource").chain(LIMITS).collect();
        check(args, "a host", &takes)?;
        let disk = self.disk.clone();
        match args.resource.unwrap_or(Resource::Disk) {
            Resource::Disk => {
                let measure = move |look: &Look| look.disk(&disk).map(|d| Space { total: d.total, free: d.free });
                measure_space(args, look, "disk", measure).await
            }
            Resource::Memory => {
                let measure = |look: &Look| look.memory().map(|m| Space { total: m.total, free: m.available });
                measure_space(args, look, "memory", measure).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::model::Value;
    use crate::primitives::probe::Status;
    use crate::system::System;

    async fn probe(disk: &str, args: Args) -> Output {
        let machine = Machine { name: "here".into(), disk: PathBuf::from(disk) };
        Observer::<Probe>::observe(&machine, &args, &Look::new(Arc::new(System::new(PathBuf::new()))))
            .await
            .expect("answers")
    }

    fn lenient() -> Args {
        Args { warn_percent: Some(99.9), fail_percent: Some(100.0), ..Args::of("here") }
    }

    #[tokio::test]
    async fn disk_and_memory_are_measured_in_per_cent() {
        for resource in [Resource::Disk, Resource::Memory] {
            let output = probe("/", Args { resource: Some(resource), ..lenient() }).await;
            assert!(output.ok && !output.down, "{}", output.detail);
            let Value::Float(used) = output.value else { panic!("{:?} is no percentage", output.value) };
            assert!((0.0..=100.0).contains(&used));
        }
    }

    #[tokio::test]
    async fn too_little_free_space_fails_and_a_disk_that_is_gone_is_down() {
        let output = probe("/", Args { min_free: Some(u64::MAX), ..lenient() }).await;
        assert_eq!((output.status, output.down), (Status::Fail, false));
        let output = probe("/no/such/mount", lenient()).await;
        assert_eq!((output.status, output.down), (Status::Fail, true));
        assert_eq!(output.detail, "no such file or directory");
    }
}
