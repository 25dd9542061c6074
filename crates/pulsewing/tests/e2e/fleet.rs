//! Many wearers in a database, and collectors that share it.
