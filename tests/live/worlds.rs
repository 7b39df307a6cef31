//! The main job, end to end: the real binary names the right first cause in
//! worlds made through the API, in both emulators.
