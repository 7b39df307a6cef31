//! The wheel of 74 MB: read from its file, read by ranges from a server on loopback,
//! and looked into by hand with curl, unzip and readelf from the same server.

use std::{
    fs::File,
    hint::black_box,
    io::{BufRead, BufReader, Error, Read, Write, copy},
    net::{TcpListener, TcpStream},
    ops::Range,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use rotdoctor::package::{self, Archive, Contents, Limits, Source};

use super::median;

pub(super) fn run() {
    let Some(wheel) = wheel() else {
        println!("{:>45}  no wheel: run the tests first, they fetch it", "look into 74 MB");
        return;
    };
    let mut bytes = 0;
    median("look into a package of 74 MB", 20, || {
        bytes = look(package::local::read(&wheel, Limits::default()).expect("a wheel"));
    });
    println!("{:>45}  {:.1} MB of it read", "", bytes as f64 / 1e6);
    let binary = env!("CARGO_BIN_EXE_rotdoctor");
    median("rotdoctor package FILE", 20, || {
        let report = Command::new(binary).arg("package").arg(&wheel).stdout(Stdio::null()).status();
        black_box(report.expect("the binary runs"));
    });
    if let Some(peak) = peak(binary, &wheel) {
        println!("{:>45}  {peak} at its peak", "");
    }
    let port = serve(wheel);
    let ranges = median("the same by ranges, over loopback", 20, || {
        look(package::read(&Remote(port), Limits::default()).expect("a wheel"));
    });
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("by-hand");
    if !by_hand(port, &folder) {
        println!("{:>45}  curl, unzip or readelf is missing", "by hand");
        return;
    }
    let by_hand = median("curl, unzip and readelf, over loopback", 5, || {
        black_box(by_hand(port, &folder));
    });
    println!("{:>45}  {:.0} times as long", "", by_hand.as_secs_f64() / ranges.as_secs_f64());
}

/// Where the tests have fetched it.
fn wheel() -> Option<PathBuf> {
    std::fs::read_dir("target/wheels")
        .ok()?
        .flatten()
        .filter(|folder| folder.file_name().to_string_lossy().starts_with("aws-psycopg2"))
        .flat_map(|folder| std::fs::read_dir(folder.path()).into_iter().flatten().flatten())
        .map(|file| file.path())
        .find(|path| path.extension().is_some_and(|end| end == "whl"))
}

/// Makes the facts of what was read, and says how many bytes that took.
fn look(contents: Contents) -> u64 {
    let read = contents.read;
    let archive = Archive { name: "code".to_owned(), contents };
    black_box(package::package(&[archive], None));
    read
}

/// The most memory that a run takes, as the kernel tells it afterwards.
fn peak(binary: &str, wheel: &Path) -> Option<String> {
    const RUN: &str = "import resource, subprocess, sys\n\
        subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)\n\
        print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, 'MB')";
    let output = Command::new("python3")
        .args(["-c", RUN, binary, "package"])
        .arg(wheel)
        .stderr(Stdio::null())
        .output();
    let text = String::from_utf8(output.ok()?.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// What one does without rotdoctor: fetch it all, unpack it all, and look at the
/// dynamic section and the texts of every library.
fn by_hand(port: u16, folder: &Path) -> bool {
    let script = format!(
        "curl -sSf -o package.zip http://127.0.0.1:{port}/ && \
         unzip -qo package.zip -d there && \
         find there -name '*.so*' -exec sh -c \
         'readelf -hd \"$1\" && readelf -p .rodata \"$1\" | grep SCRAM' _ {{}} \\; > found.txt"
    );
    // What an earlier run left; there may be nothing.
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).expect("a folder under target/");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(folder).stderr(Stdio::null());
    shell.status().is_ok_and(|status| status.success())
}

/// Serves a file on loopback, whole or by range, for as long as the process lives.
fn serve(file: PathBuf) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
    let port = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            // A client that goes away ends its connection alone.
            let _ = answer(&connection, &file);
        }
    });
    port
}

fn answer(mut connection: &TcpStream, file: &Path) -> std::io::Result<()> {
    let mut range = None;
    for line in BufReader::new(connection).lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
            let (from, to) = value.split_once('-').ok_or_else(|| Error::other("no range"))?;
            let number = |text: &str| text.parse::<u64>().map_err(Error::other);
            range = Some(number(from)?..number(to)? + 1);
        }
    }
    let file = File::open(file)?;
    let (length, status) = (file.metadata()?.len(), if range.is_some() { 206 } else { 200 });
    let range = range.unwrap_or(0..length);
    write!(
        connection,
        "HTTP/1.1 {status} x\r\ncontent-length: {}\r\ncontent-range: bytes {}-{}/{length}\r\n\
         connection: close\r\n\r\n",
        range.end - range.start,
        range.start,
        range.end - 1
    )?;
    if status == 200 {
        copy(&mut &file, &mut connection).map(drop)
    } else {
        connection.write_all(&Source::read(&file, range)?)
    }
}

/// The file behind the server: a connection for each range, which is more than the
/// collector makes.
struct Remote(u16);

impl Remote {
    fn get(&self, range: &Range<u64>) -> std::io::Result<(u64, Vec<u8>)> {
        let mut connection = TcpStream::connect(("127.0.0.1", self.0))?;
        write!(
            connection,
            "GET / HTTP/1.1\r\nhost: x\r\nrange: bytes={}-{}\r\n\r\n",
            range.start,
            range.end - 1
        )?;
        let mut reader = BufReader::new(connection);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            if line.trim_end().is_empty() {
                break;
            }
            if let Some(whole) = line.strip_prefix("content-range: ") {
                let whole = whole.trim_end().rsplit('/').next().unwrap_or_default();
                length = whole.parse().map_err(Error::other)?;
            }
        }
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes)?;
        Ok((length, bytes))
    }
}

impl Source for Remote {
    fn size(&self) -> std::io::Result<u64> {
        Ok(self.get(&(0..1))?.0)
    }

    fn read(&self, range: Range<u64>) -> std::io::Result<Vec<u8>> {
        Ok(self.get(&range)?.1)
    }
}
