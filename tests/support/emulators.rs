//! Starts the two emulators of AWS, once for each test process, from a virtual
//! environment that it makes under `target/` the first time.

use std::{
    fs::{self, File},
    io::ErrorKind,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::LazyLock,
    thread,
    time::{Duration, Instant},
};

use super::{cloud::Cloud, run::HOME};

/// What is installed, pinned: the tests know the gaps of these versions. The AWS
/// CLI runs the commands that reports print.
const PACKAGES: [&str; 3] = ["ministack==1.5.33", "moto[server]==5.2.5", "awscli==1.46.3"];

/// The account in which both emulators play.
pub(crate) const ACCOUNT: &str = "123456789012";

/// Slow machines import the emulators' code for a while.
const PATIENCE: Duration = Duration::from_secs(90);

/// Runs a server until stdin closes, which happens when the test process ends,
/// however it ends: no server outlives its tests.
const KEEPER: &str = "\
import subprocess, sys
server = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
sys.stdin.buffer.read()
server.kill()
server.wait()
";

/// Which emulator, where they differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No rotation dates; serves the function's package.
    Ministack,
    /// No CloudTrail, invents the function's VPC; keeps rotation dates and managed secrets.
    Moto,
}

/// A running emulator.
#[derive(Debug)]
pub(crate) struct Emulator {
    pub(crate) kind: Kind,
    pub(crate) port: u16,
    /// Open for as long as the test process lives, see [`KEEPER`].
    _keeper: ChildStdin,
}

impl Emulator {
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// The ministack of this test process.
pub(crate) fn ministack() -> &'static Emulator {
    static RUNNING: LazyLock<Emulator> = LazyLock::new(|| start(Kind::Ministack));
    &RUNNING
}

/// The moto of this test process.
pub(crate) fn moto() -> &'static Emulator {
    static RUNNING: LazyLock<Emulator> = LazyLock::new(|| start(Kind::Moto));
    &RUNNING
}

/// An emulator of that kind for one test alone, where what others make would be
/// seen. It lives as long as the test process.
pub(crate) fn another(kind: Kind) -> &'static Emulator {
    Box::leak(Box::new(start(kind)))
}

/// A port on which nothing listens.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
    listener.local_addr().expect("a bound listener has an address").port()
}

fn start(kind: Kind) -> Emulator {
    let environment = environment();

    // Another process may take the port between looking and listening.
    let mut said = String::new();
    for _ in 0..3 {
        let port = free_port();
        let log = environment.with_file_name(format!("{kind:?}-{port}.log").to_lowercase());
        let mut keeper = launch(kind, port, &environment, &log);
        if answers(&mut keeper, port) {
            let stdin = keeper.stdin.take().expect("stdin was piped");
            // Reaps the keeper, so that it leaves no zombie while the tests go on.
            thread::spawn(move || keeper.wait());
            let emulator = Emulator { kind, port, _keeper: stdin };
            Cloud::at(&emulator.url()).wake(PATIENCE);
            return emulator;
        }
        drop(keeper.stdin.take());
        let _ = keeper.wait();
        said = fs::read_to_string(&log).unwrap_or_default();
    }
    panic!("{kind:?} does not start; it says:\n{said}");
}

fn launch(kind: Kind, port: u16, environment: &Path, log: &Path) -> Child {
    let python = environment.join("bin/python");
    let log = File::create(log).expect("a log file under target/");
    let mut keeper = Command::new(&python);
    keeper.args(["-c", KEEPER]).arg(&python);
    match kind {
        Kind::Ministack => keeper
            .args(["-m", "ministack"])
            .env("GATEWAY_PORT", port.to_string())
            .env("BIND_HOST", "127.0.0.1")
            .env("MINISTACK_ACCOUNT_ID", ACCOUNT)
            .env("CLOUDTRAIL_RECORDING", "1")
            // Their ports are fixed, so two test processes would fight for them.
            .env("IOT_MTLS_ENABLED", "0")
            .env("SFTP_ENABLED", "0"),
        Kind::Moto => {
            keeper.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
        }
    }
    // No container is ever wanted: where Docker runs, the emulators would start some.
    .env("DOCKER_HOST", "tcp://127.0.0.1:1")
    .stdin(Stdio::piped())
    .stdout(log.try_clone().expect("a second handle of the log file"))
    .stderr(log)
    .spawn()
    .expect("the virtual environment has a python")
}

/// Whether the server accepts connections before it ends or patience does.
fn answers(keeper: &mut Child, port: u16) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return true;
        }
        if keeper.try_wait().is_ok_and(|ended| ended.is_some()) {
            return false;
        }
        thread::sleep(Duration::from_millis(50));
    }
    false
}

/// Runs commands of a report in one shell, with the AWS CLI at this emulator. Some
/// write a file into the folder for the next one.
#[track_caller]
pub(crate) fn aws_cli(emulator: &Emulator, region: &str, commands: &[String], folder: &Path) {
    let script = commands.join("\n");
    let path = std::env::var("PATH").expect("a shell has a PATH");
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .current_dir(folder)
        .env_clear()
        .env("PATH", format!("{}:{path}", environment().join("bin").display()))
        .env("HOME", HOME)
        .env("AWS_ACCESS_KEY_ID", "testing")
        .env("AWS_SECRET_ACCESS_KEY", "testing")
        .env("AWS_DEFAULT_REGION", region)
        .env("AWS_ENDPOINT_URL", emulator.url())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .expect("bash runs");
    let (out, err) = (&output.stdout, &output.stderr);
    assert!(
        output.status.success(),
        "a printed command fails:\n{script}\n{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    );
}

/// The virtual environment with both emulators, made where it is missing.
fn environment() -> PathBuf {
    static READY: LazyLock<PathBuf> = LazyLock::new(|| {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("emulators");
        fs::create_dir_all(&home).expect("a directory under target/");
        // Test processes that run side by side must not both install.
        let lock = File::create(home.join("lock")).expect("a lock file under target/");
        lock.lock().expect("the lock file can be locked");
        let environment = home.join("environment");
        let installed = environment.join("installed.txt");
        if fs::read_to_string(&installed).unwrap_or_default() != PACKAGES.join("\n") {
            install(&environment);
            fs::write(&installed, PACKAGES.join("\n")).expect("a file in the environment");
        }
        environment
    });
    READY.clone()
}

fn install(environment: &Path) {
    const NEEDED: &str = "the live tests need Python 3.10 or newer with the modules venv and pip \
         (on Debian and Ubuntu: apt install python3 python3-venv)";
    let _ = fs::remove_dir_all(environment);
    let made = ["python3", "python"].iter().find_map(|python| {
        let made = Command::new(python).args(["-m", "venv"]).arg(environment).output();
        match made {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            made => Some(made),
        }
    });
    let made = made.unwrap_or_else(|| panic!("no python3 in PATH: {NEEDED}")).expect("python runs");
    let said = |output: &std::process::Output| {
        let (out, err) = (&output.stdout, &output.stderr);
        format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
    };
    assert!(made.status.success(), "no virtual environment: {NEEDED}\n{}", said(&made));
    let installed = Command::new(environment.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(PACKAGES)
        .output()
        .expect("the virtual environment has a python");
    assert!(
        installed.status.success(),
        "pip could not install {}: {NEEDED}\n{}",
        PACKAGES.join(", "),
        said(&installed)
    );
}
