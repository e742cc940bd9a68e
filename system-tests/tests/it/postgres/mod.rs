//! PostgreSQL under both services: the same answers as SQLite, connections that are shared, faults that are survived.

mod fixture;
