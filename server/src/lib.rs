//! Everything with a side effect: settings, warehouses, cache, HTTP, the command line.

pub mod config;

pub mod definitions;
pub mod documents;
pub mod generation;

pub mod cache;

pub mod engine;

pub mod demo;

pub mod app;
pub mod boot;
pub mod live;
mod panics;
mod stopwatch;
pub mod watch;
mod watched;

pub mod http;

pub mod identity;

pub mod telemetry;

pub mod catalogue;
pub mod recorder;
pub mod testing;

pub mod cli;
