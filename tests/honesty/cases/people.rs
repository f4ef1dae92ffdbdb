//! People: who is asked, and who is told.

use crate::case::{Case, cases};

cases! {
    a_confirmation_comes => Case::of(r#"
        let found = probe("shop", #{ pointer: "/orders" }).value;
        confirm(`Close the shop, with ${found} orders under way?`);
        maintenance("shop", "on");
    "#)
    .answered("yes")
    .plan(&["observed probe shop", "assumed confirm", "assumed maintenance shop"])
    .file_left("closed", "on");

    a_confirmation_is_refused => Case::of(r#"
        step "Close" { maintenance("shop", "on"); } rollback { maintenance("shop", "off"); }
        confirm("Go on?");
        configure("app", #{ set: #{ mode: "fast" } });
    "#)
    .answered("no")
    .pinned("confirm=no")
    .plan(&["predicted maintenance shop", "pinned confirm: not-confirmed", "assumed maintenance shop"])
    .fails("not-confirmed")
    .file_left("closed", "off");

    a_refusal_is_caught => Case::of(r#"
        let sure = true;
        try { confirm("Go on?"); } catch (fault) { sure = fault.code != "not-confirmed"; }
        if sure { maintenance("shop", "on"); } else { notify("incidents", "not today"); }
    "#)
    .answered("no")
    .pinned("confirm=no")
    .plan(&["pinned confirm: not-confirmed", "assumed notify incidents"])
    .file_left("closed", "");

    nobody_is_there => Case::of(r#"
        confirm("Go on?");
        maintenance("shop", "on");
    "#)
    .plan(&["assumed confirm", "assumed maintenance shop"])
    .leaves_behind(0)
    .file_left("closed", "");

    what_a_person_says_goes_into_texts => Case::of(r#"
        let ticket = ask("Which ticket?");
        notify("incidents", `working on ${ticket} now`, #{ key: ticket });
        exec("run", ["echo " + ticket + " > ticket"]);
    "#)
    .answered("T-17")
    .plan(&["assumed ask", "assumed notify incidents", "assumed exec run"])
    .file_left("ticket", "T-17");

    what_a_person_says_decides_how_it_goes_on => Case::of(r#"
        let side = ask("Which side?", #{ choices: ["blue", "green"] });
        if side == "blue" { maintenance("shop", "on"); } else { maintenance("web", "on"); }
    "#)
    .answered("green")
    .plan(&["assumed ask"])
    .open("depends on `‹ask› == \"blue\"`")
    .file_left("maintenance", "on");

    people_are_told_on_every_channel => Case::of(r#"
        let told = notify("incidents", "it begins", #{ key: "shop" });
        require(told.delivered, told.detail);
        notify("pager", "it begins", #{ severity: "critical", required: true });
        resolve("incidents", "shop", "it is over");
    "#)
    .plan(&["predicted notify incidents", "predicted notify pager", "predicted resolve incidents"])
    .posted(1);

    a_message_that_cannot_be_delivered_waits => Case::of(r#"
        let told = notify("pager", "it begins");
        if !told.delivered { notify("incidents", "nobody was paged"); }
    "#)
    .given(|world| drop(world.write("mute", "")))
    .pinned("notify(pager)=undelivered")
    .plan(&["pinned notify pager", "predicted notify incidents"]);

    a_message_that_must_be_delivered_and_cannot_be => Case::of(r#"
        step "Close" { maintenance("shop", "on"); } rollback { maintenance("shop", "off"); }
        notify("pager", "it is closed", #{ required: true });
    "#)
    .given(|world| drop(world.write("mute", "")))
    .pinned("notify(pager)=failed")
    .plan(&["predicted maintenance shop", "pinned notify pager: notify-failed", "assumed maintenance shop"])
    .fails("notify-failed")
    .file_left("closed", "off");

    a_channel_that_is_seen_to_be_broken => Case::of(r#"
        let told = notify("lost", "it begins");
        if told.queued { log("it waits"); }
        notify("lost", "it goes on", #{ required: true });
    "#)
    .plan(&["predicted notify lost", "predicted log", "predicted notify lost: notify-failed"])
    .fails("notify-failed");
}
