//! Reading the tree: which files it has, and the little of Markdown and TOML that the tests need.

use std::path::Path;
use std::process::Command;

/// The root of the tree.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

/// A text file of the tree, by its path from the root.
pub(crate) struct Text {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Every text file that is tracked, or would be: what git ignores is not ours to judge.
pub(crate) fn texts() -> Vec<Text> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "git cannot list the files of the tree");
    String::from_utf8(output.stdout)
        .unwrap()
        .split_terminator('\0')
        // What is not UTF-8 is not text; what was deleted but not committed is gone.
        .filter_map(|path| {
            let text = std::fs::read_to_string(root().join(path)).ok()?;
            Some(Text { path: path.to_owned(), text })
        })
        .collect()
}

/// The text of one file.
pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The names of the folders under `crates/`.
pub(crate) fn crates() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().join("Cargo.toml").exists())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The section of a Markdown file under the heading `## {title}`, to the next such heading.
pub(crate) fn section(path: &str, title: &str) -> String {
    let text = read(path);
    let heading = format!("## {title}");
    let section: Vec<&str> = text
        .lines()
        .skip_while(|line| *line != heading)
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .collect();
    assert!(!section.is_empty(), "{path} has no section `{heading}`");
    section.join("\n")
}

/// The rows of the tables in a piece of Markdown, as trimmed cells, without heads and rulers.
pub(crate) fn rows(markdown: &str) -> Vec<Vec<String>> {
    let lines: Vec<&str> = markdown.lines().map(str::trim).collect();
    let is_row = |line: &str| line.starts_with('|') && line.ends_with('|') && line.len() > 1;
    let is_ruler = |line: &str| is_row(line) && line.chars().all(|c| "|-: ".contains(c));
    let mut rows = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let head = lines.get(at + 1).is_some_and(|next| is_ruler(next));
        if is_row(line) && !is_ruler(line) && !head {
            let cells = line.trim_matches('|').split('|');
            rows.push(cells.map(|cell| cell.trim().to_owned()).collect());
        }
    }
    rows
}

/// The words in backticks in a piece of Markdown.
pub(crate) fn in_backticks(markdown: &str) -> Vec<String> {
    markdown.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// A dependency as a `Cargo.toml` declares it.
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// The table it stands in, such as `dev-dependencies`.
    pub(crate) table: String,
    pub(crate) line_number: usize,
    /// Whether a comment stands above it or at its end.
    pub(crate) argued: bool,
    /// Whether it is declared, and argued, in the workspace's own table.
    pub(crate) inherited: bool,
}

/// The dependencies declared in a `Cargo.toml`, one a line or one a table.
pub(crate) fn dependencies(toml: &str) -> Vec<Dependency> {
    let mut found = Vec::new();
    let mut table = String::new();
    let mut depth = 0;
    let mut above = "";
    for (at, line) in toml.lines().map(str::trim).enumerate() {
        let code = line.split('#').next().unwrap_or_default().trim();
        let argued = above.starts_with('#') || line.contains(" # ");
        let mut dependency = |name: &str, table: &str| {
            found.push(Dependency {
                name: name.trim_matches('"').to_owned(),
                table: table.to_owned(),
                line_number: at + 1,
                argued,
                inherited: code.contains(".workspace") || code.contains("workspace = true"),
            });
        };
        if depth == 0 && code.starts_with('[') {
            table = code.trim_matches(['[', ']']).to_owned();
            // `[dependencies.name]`
            if let Some((parent, name)) = table.rsplit_once('.')
                && parent.ends_with("dependencies")
            {
                dependency(name, parent);
            }
        } else if depth == 0
            && table.ends_with("dependencies")
            && let Some((key, _)) = code.split_once('=')
        {
            dependency(key.split('.').next().unwrap_or_default().trim(), &table);
        }
        if !code.starts_with('[') || depth > 0 {
            let count = |c: [char; 2]| i32::try_from(code.matches(c).count()).unwrap();
            depth += count(['[', '{']) - count([']', '}']);
        }
        above = line;
    }
    found
}

#[test]
fn dependencies_are_found_in_every_form() {
    let toml = "\
[package]
name = \"x\"
[dependencies]
# why a
a = \"1\"
b = { version = \"1\", features = [
    \"c\",
] } # why b
d.workspace = true
[target.'cfg(unix)'.dev-dependencies]
e = \"1\"
[build-dependencies.f]
version = \"1\"
";
    let found = dependencies(toml);
    let seen: Vec<(&str, bool, bool)> =
        found.iter().map(|d| (d.name.as_str(), d.argued, d.inherited)).collect();
    assert_eq!(
        seen,
        [
            ("a", true, false),
            ("b", false, false),
            ("d", false, true),
            ("e", false, false),
            ("f", false, false)
        ]
    );
}

#[test]
fn rows_leave_out_heads_and_rulers() {
    let markdown = "text\n| a | b |\n|---|---|\n| `c` | d |\n";
    assert_eq!(rows(markdown), [["`c`", "d"]]);
    assert_eq!(in_backticks("| `c` and `d` |"), ["c", "d"]);
}
