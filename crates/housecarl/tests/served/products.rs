//! `housecarl product apply`: what it shows, what it changes, and what the next start puts in force.

use crate::gateway::{Gateway, folder};

fn longer(gateway: &Gateway) -> String {
    let file = gateway.path("watch/privacy.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let longer = text.replacen(r#"for = "13 months""#, r#"for = "14 months""#, 1);
    assert_ne!(text, longer);
    std::fs::write(&file, longer).unwrap();
    gateway.path("watch").display().to_string()
}

#[test]
fn what_was_applied_is_shown_first_and_is_what_the_next_start_uses() {
    let gateway = Gateway::start(folder(""));
    gateway.take_over();
    let wearer = gateway.wearer();
    let reader = gateway.does(&["operator", "add", "--reads", "watch", "--for", "activity"], "");
    let data = format!("/v1/data/activity?person={}", wearer.person);
    assert_eq!(gateway.send(&wearer, 1), "kept");
    let sees = |gateway: &Gateway| gateway.ask("GET", &data, &reader, "").1;
    assert!(sees(&gateway).contains("heart-rate"));

    // Shown, and nothing changed: nobody was there to say yes.
    let watch = longer(&gateway);
    let shown = gateway.run(&["product", "apply", &watch], "");
    let text = String::from_utf8(shown.stdout).unwrap();
    assert_eq!(shown.status.code(), Some(1), "{text}");
    for expected in [
        "wider: `activity`",
        "length of keeping (wider): 403 days -> 434 days",
        "closed for each person until that person has been told",
        "those who had agreed are asked again; a refusal carries over",
        "the DPIA is open again for 1 of them",
    ] {
        assert!(text.contains(expected), "no `{expected}` in: {text}");
    }
    assert!(sees(&gateway).contains("heart-rate"));

    let applied = gateway.run(&["product", "apply", &watch, "--yes"], "");
    let text = String::from_utf8(applied.stdout).unwrap();
    assert!(
        applied.status.success() && text.ends_with("in force for everybody: watch, version 2\n"),
        "{text}"
    );
    assert!(!sees(&gateway).contains("heart-rate"), "who had agreed has to be asked");

    // It is killed, and the file is changed back; what was applied is in force, and the difference is told.
    let folder = gateway.kill();
    let file = folder.path().join("watch/privacy.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen(r#"for = "14 months""#, r#"for = "13 months""#, 1)).unwrap();
    let gateway = Gateway::start(folder);
    gateway.complains("this is not what is in force, which is version 2");
    assert!(!sees(&gateway).contains("heart-rate"));
    gateway.agrees(&wearer);
    assert!(sees(&gateway).contains("heart-rate"), "asked again, and agreed");
    assert_eq!(gateway.send(&wearer, 2), "kept");
    assert_eq!(gateway.end().0, 0);
}
