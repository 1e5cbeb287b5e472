//! The regulator's guidance is retold here, never copied.
//!
//! Its text is not part of this repository. Where a copy lies beside it, in `../shared/seeds`, no
//! sentence of it may appear in a tracked file.

use std::io::Write;
use std::path::PathBuf;

use crate::tree::{root, texts};

/// Shorter sentences are common property: headings, questions, "for example".
const WORDS_MIN: usize = 12;

#[test]
fn no_sentence_of_the_guidance_is_copied() {
    let Some(source) = source() else {
        // Not `println!`, which the harness would swallow.
        writeln!(std::io::stderr(), "NOT RUN: ../shared/seeds/003_*.txt is not here to compare with")
            .unwrap();
        return;
    };
    let source = std::fs::read_to_string(source).unwrap();
    let sentences = sentences(&source);
    assert!(sentences.len() > 100, "only {} sentences were found", sentences.len());
    let mut faults = Vec::new();
    for file in texts() {
        let text = words(&file.text);
        for sentence in &sentences {
            if text.contains(sentence.as_str()) {
                faults.push(format!("{}: {sentence}", file.path));
            }
        }
    }
    assert!(faults.is_empty(), "copied from the guidance:\n{}", faults.join("\n"));
}

fn source() -> Option<PathBuf> {
    let folder = std::fs::read_dir(root().join("../shared/seeds")).ok()?;
    folder.flatten().map(|entry| entry.path()).find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("003_") && name.ends_with(".txt")
    })
}

/// The long sentences of a text, as [`words`]. Bullets and blank lines end a sentence too.
fn sentences(text: &str) -> Vec<String> {
    let text = text.replace("\n\n", ". ").replace('\n', " ");
    text.split(['•', '●', '○'])
        .flat_map(|part| part.split(". "))
        .flat_map(|part| part.split(['?', '!', ':', ';']))
        .map(words)
        .filter(|sentence| sentence.split_whitespace().count() >= WORDS_MIN)
        .collect()
}

/// The words of a text in lower case with one space around each: comment signs, quotes and line
/// breaks do not hide a copy, and no word matches inside another.
fn words(text: &str) -> String {
    let mut words = String::from(" ");
    let text = text.replace(['\'', '’'], "");
    for word in text.split(|c: char| !c.is_alphanumeric()) {
        if !word.is_empty() {
            words.push_str(&word.to_lowercase());
            words.push(' ');
        }
    }
    words
}

#[test]
fn a_copy_is_found_behind_comment_signs() {
    let sentence = "You should always tell the people, in plain words, what it's that you keep.";
    let copy =
        "/// x: you should always tell the people,\n/// in plain words, what\n/// it’s that you keep. y";
    let [sentence] = sentences(sentence).try_into().unwrap();
    assert!(words(copy).contains(&sentence), "{sentence}");
}
