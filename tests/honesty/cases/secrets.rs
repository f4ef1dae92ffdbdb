//! Secrets: they are named in a plan and in a record, and what they stand for arrives where it is needed.

use crate::case::{Case, cases};

cases! {
    a_secret_reaches_programs_in_every_way => Case::of(r#"
        exec("run", [`printf %s "$PASS" > by-env`], #{ env: #{ PASS: secret("TOKEN") } });
        exec("run", ["cat > by-stdin"], #{ stdin: `Bearer ${secret("TOKEN")}` });
        exec("run", [`printf %s "$0" > by-word`, secret("TOKEN")]);
    "#)
    .plan(&["assumed exec run", "assumed exec run", "assumed exec run"])
    .file_left("by-env", "s3cr3t-s3cr3t")
    .file_left("by-stdin", "Bearer s3cr3t-s3cr3t")
    .file_left("by-word", "s3cr3t-s3cr3t");

    a_secret_goes_into_a_row => Case::of(r#"
        sql("stock", "UPDATE parts SET state = ? WHERE id = 1", #{ params: [secret("TOKEN")], expect_rows: 1 });
    "#)
    .plan(&["assumed sql stock"])
    .row_left("stock", "SELECT state FROM parts WHERE id = 1", "s3cr3t-s3cr3t");

    what_shows_a_secret_shows_its_name_in_both => Case::of(r#"
        exec("see", ["echo \"it is $PASS\""], #{ env: #{ PASS: secret("TOKEN") } });
        configure("env", #{ set: #{ API_TOKEN: secret("TOKEN") } });
    "#)
    .plan(&["observed exec see", "predicted configure env"])
    .file_left("app.env", "PORT=80\nMODE=slow\nAPI_TOKEN=s3cr3t-s3cr3t");

    a_secret_that_a_program_gives_out_is_one_from_then_on => Case::of(r#"
        let issued = exec("issue", ["live"]).stdout;
        exec("run", ["cat > got"], #{ stdin: issued });
    "#)
    .plan(&["observed exec issue", "assumed exec run"])
    .file_left("got", "1.0.0");

    a_secret_that_is_not_there_is_missed_beforehand => Case::of(r#"
        maintenance("shop", "on");
        exec("run", ["true"], #{ stdin: secret("TOKEN") });
    "#)
    .independent(r#"independent = [["shop", "run"]]"#)
    .given(|world| world.remove("token"))
    .plan(&["predicted maintenance shop", "predicted exec run: secret-unavailable"])
    .fails("secret-unavailable");
}
