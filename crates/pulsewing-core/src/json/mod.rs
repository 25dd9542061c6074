//! JSON decoded as its bytes arrive.
