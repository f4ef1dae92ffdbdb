# Short names for what one does every day. `just` lists them.

_default:
    @just --list --unsorted

# Everything that must hold before a change goes in
test:
    ./scripts/test

# The tests alone; FILTER is a part of their names
quick *FILTER:
    cargo nextest run --all-features {{FILTER}}

# Whether it compiles
check:
    cargo check --all-features --all-targets

# Formatting and lints
lint:
    cargo fmt --check
    cargo clippy --all-targets --all-features -- -D warnings

# The benchmarks
bench *ARGS:
    cargo bench --all-features {{ARGS}}

# Rehearse a drill on the sandbox of this machine
drill DRILL="runbooks/drills/database-loss.rhai" *ARGS:
    cargo run --release -- drill {{DRILL}} {{ARGS}}

# Bring the reference up to date with the code, and build the documentation
docs:
    UPDATE_REFERENCE=1 cargo test --quiet --test reference
    cargo doc --no-deps --all-features
    mdbook build docs
