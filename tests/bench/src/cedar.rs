//! The decision as Cedar makes it: policies from the same manifest, everything it reads prebuilt.

use std::collections::BTreeSet;

use cedar_policy::{Authorizer, Decision, Entities, PolicySet, Request};
use housecarl_oracle::cedar::Cedar;
use housecarl_oracle::facts::Case;
use housecarl_policy::{PurposeSet, Table};

use crate::product::Product;

/// Cedar with the policies of one product.
pub(crate) struct Peer {
    cedar: Cedar,
    policies: PolicySet,
    authorizer: Authorizer,
}

/// A question with what Cedar reads of the home: one request for each purpose of the item.
pub(crate) struct Prebuilt {
    entities: Entities,
    requests: Vec<(PurposeSet, Request)>,
}

impl Peer {
    pub(crate) fn of(product: &Product) -> Self {
        let cedar = Cedar::of(&product.manifest, &BTreeSet::new());
        Self { policies: cedar.policies().clone(), cedar, authorizer: Authorizer::new() }
    }

    /// How many policies there are.
    pub(crate) fn policies(&self) -> usize {
        self.policies.policies().count()
    }

    /// Makes a question ready; `uses` are the purposes of its item.
    pub(crate) fn prebuild(&self, table: &Table<'_>, uses: PurposeSet, case: &Case) -> Prebuilt {
        let prepared = self.cedar.prepare(case);
        let of_item = |name: &str| {
            let named = |id: &_| table.purpose(*id).is_some_and(|purpose| table.text(purpose.name) == name);
            uses.iter().find(named).map(PurposeSet::of)
        };
        let requests =
            prepared.requests.into_iter().filter_map(|(name, request)| Some((of_item(&name)?, request)));
        Prebuilt { requests: requests.collect(), entities: prepared.entities }
    }

    /// The purposes for which it permits.
    pub(crate) fn decide(&self, question: &Prebuilt) -> PurposeSet {
        question.requests.iter().fold(PurposeSet::NONE, |permitted, (purpose, request)| {
            let response = self.authorizer.is_authorized(request, &self.policies, &question.entities);
            if response.decision() == Decision::Allow { permitted | *purpose } else { permitted }
        })
    }
}
