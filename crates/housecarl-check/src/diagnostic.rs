//! A finding as data: printed by a renderer, never by a rule.

use housecarl_manifest::span::Span;

/// How much weight the guidance gives to what a finding is about. Statements ACC-02, ACC-03, ACC-05.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Level {
    /// An option.
    Could,
    /// Expected, unless another way also meets the law.
    Should,
    /// Law.
    Must,
}

impl Level {
    /// Every level, lightest first.
    pub const EVERY: [Self; 3] = [Self::Could, Self::Should, Self::Must];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Could => "could",
            Self::Should => "should",
            Self::Must => "must",
        }
    }

    /// The level that a word stands for.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::EVERY.into_iter().find(|level| level.word() == word)
    }
}

/// A stretch of the manifest and what a reader should see in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What.
    pub text: String,
}

/// One finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// The code, which never changes its meaning.
    pub code: &'static str,
    /// The rule's name.
    pub name: String,
    /// How much weight it has.
    pub level: Level,
    /// The statements of the guidance that it is about.
    pub statements: &'static [&'static str],
    /// What is the case, and why it matters.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What stands there; may be empty.
    pub label: String,
    /// Other places that it has to do with.
    pub also: Vec<Label>,
    /// What to do.
    pub help: String,
    /// The organisation of the manifest that has to act.
    pub organisation: Option<String>,
    /// The purposes that are compiled shut while this finding is open, if its level is `must`.
    pub purposes: Vec<String>,
}

impl Diagnostic {
    /// Says what stands at the main place.
    pub fn label(&mut self, text: impl Into<String>) -> &mut Self {
        self.label = text.into();
        self
    }

    /// Points at another place.
    pub fn also(&mut self, span: Span, text: impl Into<String>) -> &mut Self {
        self.also.push(Label { span, text: text.into() });
        self
    }

    /// Names a purpose that it is about, beside any named before.
    pub fn purpose(&mut self, name: impl Into<String>) -> &mut Self {
        self.purposes.push(name.into());
        self
    }

    /// Names the organisation that has to act.
    pub fn organisation(&mut self, name: impl Into<String>) -> &mut Self {
        self.organisation = Some(name.into());
        self
    }
}
