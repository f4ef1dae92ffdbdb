//! Where the cursor stands in what is being typed: in which call, at which argument, behind which module.

use super::colour::{Part, parts};

/// A call that is open at the end of a line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call<'a> {
    pub(super) name: &'a str,
    /// The module before it, `t` of `t::f(`.
    pub(super) module: Option<&'a str>,
    /// How many commas there were.
    pub(super) argument: usize,
    /// The option whose value is typed, inside `#{ … }`.
    pub(super) option: Option<&'a str>,
    /// Whether the cursor stands where the name of an option is expected.
    in_options: bool,
    /// The first argument, where it is a text.
    pub(super) first_text: Option<&'a str>,
    /// What was typed of the argument.
    pub(super) typed: &'a str,
}

/// Where the cursor stands.
pub(super) enum Place<'a> {
    Text {
        begins: usize,
        typed: &'a str,
        within: Option<Call<'a>>,
    },
    Option {
        begins: usize,
        typed: &'a str,
        primitive: &'a str,
    },
    /// Behind `module::`.
    Inner {
        begins: usize,
        typed: &'a str,
        module: &'a str,
    },
    Word {
        begins: usize,
        typed: &'a str,
    },
}

impl<'a> Place<'a> {
    /// At the end of `line`.
    pub(super) fn of(line: &'a str) -> Self {
        if let Some(quote) = open_quote(line) {
            let before = &line[..quote];
            let within = calls(before).pop().or_else(|| {
                let import = before.trim_end().ends_with("import");
                let name = "import";
                import.then_some(Call {
                    name,
                    module: None,
                    argument: 0,
                    option: None,
                    in_options: false,
                    first_text: None,
                    typed: "",
                })
            });
            return Place::Text { begins: quote + 1, typed: &line[quote + 1..], within };
        }
        let begins = line
            .rfind(|c: char| !(c.is_alphanumeric() || c == '_'))
            .map_or(0, |at| at + line[at..].chars().next().map_or(1, char::len_utf8));
        let typed = &line[begins..];
        if let Some(module) = module_before(&line[..begins]) {
            return Place::Inner { begins, typed, module };
        }
        match calls(line).pop() {
            Some(call) if call.in_options => Place::Option { begins, typed, primitive: call.name },
            _ => Place::Word { begins, typed },
        }
    }
}

/// The module whose `::` a text ends with.
fn module_before(text: &str) -> Option<&str> {
    let path = text.strip_suffix("::")?;
    let begins = path
        .rfind(|c: char| !(c.is_alphanumeric() || c == '_'))
        .map_or(0, |at| at + path[at..].chars().next().map_or(1, char::len_utf8));
    Some(&path[begins..]).filter(|name| !name.is_empty())
}

/// Where the text begins that is open at the end of a line.
fn open_quote(line: &str) -> Option<usize> {
    let (mut open, mut escaped) = (None, false);
    for (at, c) in line.char_indices() {
        match (open, c) {
            _ if escaped => escaped = false,
            (Some(('"', _)), '\\') => escaped = true,
            (None, '"' | '`') => open = Some((c, at)),
            (Some((quote, _)), c) if c == quote => open = None,
            _ => {}
        }
    }
    open.map(|(_, at)| at)
}

/// The calls that are open at the end of a line, outermost first. Texts in it are closed.
pub(super) fn calls(line: &str) -> Vec<Call<'_>> {
    let (mut stack, mut at): (Vec<(char, Option<Call>)>, usize) = (Vec::new(), 0);
    let mut name = "";
    for (part, text) in parts(line) {
        let end = at + text.len();
        match text {
            _ if part == Part::Text => {
                if let Some((_, Some(call))) = stack.last_mut()
                    && call.argument == 0
                {
                    call.first_text = text.get(1..text.len().saturating_sub(1));
                }
            }
            "(" => {
                let (option, first_text, typed) = (None, None, &line[end..]);
                let module = line[..at].trim_end().strip_suffix(name).and_then(module_before);
                let call = Call { name, module, argument: 0, option, in_options: false, first_text, typed };
                stack.push(('(', (!name.is_empty()).then_some(call)));
            }
            "{" | "[" => {
                let outer = stack
                    .last()
                    .and_then(|(_, call)| call.clone())
                    .filter(|_| text == "{" && line[..at].ends_with('#'));
                stack.push((
                    '{',
                    outer.map(|call| Call { in_options: true, option: None, typed: &line[end..], ..call }),
                ));
            }
            ")" | "}" | "]" => drop(stack.pop()),
            "," => {
                if let Some((kind, Some(call))) = stack.last_mut() {
                    call.typed = &line[end..];
                    if *kind == '(' {
                        call.argument += 1;
                    } else {
                        (call.in_options, call.option) = (true, None);
                    }
                }
            }
            ":" => {
                if let Some(('{', Some(call))) = stack.last_mut() {
                    (call.in_options, call.option, call.typed) = (false, Some(name), &line[end..]);
                }
            }
            _ => {}
        }
        let is_name = matches!(part, Part::Name | Part::Called | Part::Keyword);
        if is_name {
            name = text;
        } else if !text.trim().is_empty() {
            name = "";
        }
        at = end;
    }
    stack.into_iter().filter_map(|(_, call)| call).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_in_which_call_and_at_which_argument_the_cursor_stands() {
        let innermost = |line: &'static str| calls(line).pop();
        let call = innermost("restore(\"primary\", #{ from: ").expect("open");
        assert_eq!(
            (call.name, call.option, call.first_text, call.in_options),
            ("restore", Some("from"), Some("primary"), false)
        );
        let call = innermost("let a = probe(\"web\", #{ timeout: \"5s\", ").expect("open");
        assert_eq!((call.name, call.option, call.in_options), ("probe", None, true));
        let call = innermost("maintenance(\"web\", ").expect("open");
        assert_eq!((call.name, call.argument), ("maintenance", 1));
        assert_eq!(innermost("probe(\"web\")"), None);
        assert_eq!(innermost("(1 + 2"), None);
        assert_eq!(innermost("f(g(1), ").map(|call| (call.name, call.argument)), Some(("f", 1)));
    }

    #[test]
    fn a_text_that_is_open_is_found_whatever_stands_before_it() {
        assert_eq!(open_quote("probe(\"we"), Some(6));
        assert_eq!(open_quote("\"a\" + `b"), Some(6));
        assert_eq!(open_quote("\"a\\\"b\""), None);
    }

    #[test]
    fn what_stands_before_a_name_tells_the_module() {
        let inner = |line: &'static str| match Place::of(line) {
            Place::Inner { typed, module, .. } => Some((module, typed)),
            _ => None,
        };
        assert_eq!(inner("let a = t::ca"), Some(("t", "ca")));
        assert_eq!(inner("t::"), Some(("t", "")));
        assert_eq!((inner("t:"), inner("#{ a:"), inner("::x"), inner("t::f(")), (None, None, None, None));
        assert_eq!(
            calls("t::f(1, ").pop().map(|call| (call.module, call.name, call.argument)),
            Some((Some("t"), "f", 1))
        );
        assert_eq!(calls("f(").pop().map(|call| call.module), Some(None));
    }
}
