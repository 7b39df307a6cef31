//! What the integration tests stand on: emulators of AWS, worlds that are made
//! in them through the API, and the built binary.

pub(crate) mod cloud;
pub(crate) mod emulators;
pub(crate) mod log_lines;
pub(crate) mod mending;
pub(crate) mod packages;
pub(crate) mod run;
pub(crate) mod world;
pub(crate) mod worlds;

/// Makes a test of each world for each emulator.
macro_rules! in_each_emulator {
    ($($world:ident),* $(,)?) => {
        mod in_ministack {
            $( #[test] fn $world() { super::$world($crate::support::emulators::ministack()); } )*
        }
        mod in_moto {
            $( #[test] fn $world() { super::$world($crate::support::emulators::moto()); } )*
        }
    };
}

pub(crate) use in_each_emulator;
