//! `POST /refresh-token`: the steps of the contract's order, one after the other. Retries are told in `replay`, which step comes
//! before which in `precedence`.
