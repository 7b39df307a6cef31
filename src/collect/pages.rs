//! A list that comes in pages, read within a budget. The SDK has paginators of its own,
//! with a task and a channel compiled for each operation: a sixtieth of the binary for
//! what is a loop here. Which list is read, and how many pages of it, is said elsewhere.

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::{call::Caller, convert::given, failure::Failure};

/// A list of which some pages may have been read.
pub(super) struct Pages<'a, A> {
    caller: &'a Caller,
    action: &'static str,
    resource: &'a str,
    ask: A,
    /// Pages that may still be asked for.
    budget: usize,
    next: Next,
}

/// Where the list goes on.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Beginning,
    Token(String),
    End,
}

impl Next {
    /// What a page's token says, that was asked for with `asked`. An empty token is
    /// none, and a token that repeats itself ends the list.
    fn of(token: Option<String>, asked: Option<&str>) -> Self {
        given(token).filter(|token| Some(token.as_str()) != asked).map_or(Self::End, Self::Token)
    }
}

impl<'a, A> Pages<'a, A> {
    /// A list that `ask` reads from a token on; `None` is its beginning. `action` is the
    /// IAM action that it takes, `resource` what a gap or a timing names.
    pub(super) fn new(
        caller: &'a Caller,
        action: &'static str,
        resource: &'a str,
        budget: usize,
        ask: A,
    ) -> Self {
        Self { caller, action, resource, ask, budget, next: Next::Beginning }
    }

    /// Reads the next page; `None` at the end of the list, and of the budget.
    ///
    /// # Errors
    /// As the call.
    pub(super) async fn next<T, E, F>(&mut self) -> Result<Option<T>, Failure>
    where
        A: Fn(Option<String>) -> F,
        F: Future<Output = Result<(T, Option<String>), SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let token = match &self.next {
            Next::End => return Ok(None),
            Next::Beginning => None,
            Next::Token(token) => Some(token.clone()),
        };
        let Some(budget) = self.budget.checked_sub(1) else { return Ok(None) };
        self.budget = budget;
        let work = (self.ask)(token.clone());
        let (page, next) = self.caller.call(self.action, self.resource, work).await?;
        self.next = Next::of(next, token.as_deref());
        Ok(Some(page))
    }

    /// Whether the list goes on behind what was read.
    pub(super) fn cut(&self) -> bool {
        matches!(self.next, Next::Token(_))
    }
}

/// The [`Pages`] of a request: who calls, the action, the resource, the budget, the
/// request, and how its service calls the token: to set it, and in a page.
macro_rules! pages {
    ($caller:expr, $action:expr, $resource:expr, $budget:expr, $request:expr,
     $set:ident, $token:ident) => {{
        let request = $request;
        $crate::collect::pages::Pages::new($caller, $action, $resource, $budget, move |token| {
            let asked = request.clone().$set(token).send();
            async move {
                asked.await.map(|mut page| {
                    let next = page.$token.take();
                    (page, next)
                })
            }
        })
    }};
}
pub(super) use pages;

#[cfg(test)]
mod tests {
    use super::Next;

    #[test]
    fn a_list_ends_without_a_token_and_with_one_that_leads_to_itself() {
        let token = |text: &str| Some(text.to_owned());
        assert_eq!(Next::of(None, None), Next::End);
        assert_eq!(Next::of(token(""), None), Next::End);
        assert_eq!(Next::of(token("a"), Some("a")), Next::End);
        assert_eq!(Next::of(token("a"), None), Next::Token("a".to_owned()));
        assert_eq!(Next::of(token("b"), Some("a")), Next::Token("b".to_owned()));
    }
}
