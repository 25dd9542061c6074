//! `import`: other files that users have, besides an export's own.

use std::{fs, io::Write as _, path::Path};

use flate2::{Compression, write::GzEncoder};

use crate::harness::{
    hermetic::Home,
    import_files::{Entry, csv, exported, json, samples},
};

const START: &str = "2024-10-27T00:00:00Z";

fn rates() -> impl Iterator<Item = u16> + Clone {
    (0..90).map(|minute| 60 + minute % 50)
}

fn history(home: &Home) -> String {
    home.run(&["export"]).exits(0).stdout
}

/// Imports a file from the working directory, and returns the history.
fn imported(home: &Home, name: &str) -> String {
    home.run(&["import", "--zone", "UTC", name]).exits(0);
    history(home)
}

/// Returns an export as a tar archive, as `tar` writes it.
fn tar(entries: &[Entry]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, text) in entries {
        let mut block = [0; 512];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[124..135].copy_from_slice(format!("{:011o}", text.len()).as_bytes());
        block[148..156].fill(b' ');
        block[156] = b'0';
        block[257..263].copy_from_slice(b"ustar\0");
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        archive.extend(block);
        archive.extend(text.as_bytes());
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1_024, 0);
    archive
}

fn compressed(path: &Path, bytes: &[u8]) {
    let file = fs::File::create(path).unwrap();
    let mut encoder = GzEncoder::new(file, Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap();
}

#[test]
fn a_takeout_in_a_tgz_is_read_as_one_in_a_zip() {
    let all = samples(START, rates());
    let name = "Takeout/Fitbit/Global Export Data/heart_rate-2024-10-27.json";
    let entries = [
        (
            "Takeout/archive_browser.html".to_owned(),
            "<html>".to_owned(),
        ),
        (
            "Takeout/Fitbit/Physical Activity_GoogleData/heart_rate_2024-10-27.csv".to_owned(),
            csv(&all, Some("Tracker")),
        ),
        (name.to_owned(), json(&all)),
    ];
    let archive = tar(&entries);
    for file in ["takeout.tgz", "takeout.tar.gz", "takeout.tar"] {
        let home = Home::new();
        if file.ends_with("gz") {
            compressed(&home.work(file), &archive);
        } else {
            fs::write(home.work(file), &archive).unwrap();
        }
        home.run(&["import", "--zone", "UTC", file])
            .exits(0)
            .says("Read 2 files: 720 values of 1 day");
        assert_eq!(history(&home), exported(START, rates()), "{file}");
    }
    // A truncated one is reported once; its complete parts are imported.
    let home = Home::new();
    let half = &archive[..archive.len() - 4_000];
    compressed(&home.work("takeout.tgz"), half);
    let finished = home
        .run(&["import", "--zone", "UTC", "takeout.tgz"])
        .exits(1);
    assert_eq!(
        finished.stderr.matches("was left out").count(),
        2,
        "{}",
        finished.stderr
    );
    assert_eq!(history(&home), exported(START, rates()));
    // An archive that unpacks without end is stopped.
    let home = Home::new();
    let endless = " ".repeat(20 << 20);
    compressed(
        &home.work("takeout.tgz"),
        &tar(&[(name.to_owned(), endless)]),
    );
    home.run(&["import", "takeout.tgz"])
        .exits(1)
        .says("the archive around it unpacks to more than 200 times its size");
}

#[test]
fn every_separator_encoding_and_usual_name_of_a_column_will_do() {
    let all = samples(START, rates());
    let text = csv(&all, Some("Tracker"));
    let table = |header: &str, line: &dyn Fn(&str, u16) -> String| {
        let lines: Vec<String> = all
            .iter()
            .map(|(at, bpm)| line(&at.strftime("%Y-%m-%dT%H:%M:%S").to_string(), *bpm))
            .collect();
        format!("{header}\n{}\n", lines.join("\n"))
    };
    let semicolons = text.replace(',', ";").replace(".0;", ",0;");
    let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let text = format!("\u{feff}{text}");
        text.encode_utf16().flat_map(bytes).collect()
    };
    let files: [(&str, Vec<u8>); 10] = [
        ("heart_rate_2024-10-27.csv", semicolons.clone().into()),
        ("excel.csv", format!("sep=;\r\n{semicolons}").into()),
        ("tabs.tsv", text.replace(',', "\t").into()),
        (
            "unicode.txt",
            utf16(&text.replace(',', "\t"), u16::to_le_bytes),
        ),
        ("big.csv", utf16(&text, u16::to_be_bytes)),
        ("marked.csv", format!("\u{feff}{text}").into()),
        (
            "ring.csv",
            table("timestamp,bpm,source", &|at, bpm| {
                format!("{at}.000Z,{bpm},awake")
            })
            .into(),
        ),
        (
            "watch.csv",
            table("Heart Rate,Start_Time", &|at, bpm| {
                format!("{bpm},{}", at.replace('T', " "))
            })
            .into(),
        ),
        (
            "columns.csv",
            table("Date;Time;HR (bpm)", &|at, bpm| {
                format!("{};{bpm}", at.replace('T', ";"))
            })
            .into(),
        ),
        (
            "elsewhere.csv",
            table("time,hr", &|at, bpm| format!("{at} +0000,{bpm}")).into(),
        ),
    ];
    for (name, bytes) in files {
        let home = Home::new();
        fs::write(home.work(name), bytes).unwrap();
        assert_eq!(imported(&home, name), exported(START, rates()), "{name}");
    }
}

#[test]
fn json_may_begin_with_a_byte_order_mark() {
    let text = format!("\u{feff}{}", json(&samples(START, rates())));
    let home = Home::new();
    home.write("heart_rate-2024-10-27.json", &text);
    assert_eq!(
        imported(&home, "heart_rate-2024-10-27.json"),
        exported(START, rates())
    );
}

#[test]
fn a_data_set_of_several_people_is_not_one_wearers_history() {
    let header = "Id,Time,Value\n";
    let line = |id: &str, second: u16| format!("{id},4/12/2016 7:21:{second:02} AM,97\n");
    let one: String = (0..4).map(|second| line("2022484408", second)).collect();
    let home = Home::new();
    home.write("heartrate_seconds.csv", &format!("{header}{one}"));
    assert_eq!(
        imported(&home, "heartrate_seconds.csv"),
        exported("2016-04-12T07:21:00Z", [97])
    );
    let home = Home::new();
    let both = format!("{header}{one}{}", line("4020332650", 9));
    home.write("heartrate_seconds.csv", &both);
    home.run(&["import", "--zone", "UTC", "heartrate_seconds.csv"])
        .exits(1)
        .says("it contains the heart rates of several people: keep only the lines with one Id");
    assert_eq!(history(&home).lines().count(), 1);
}

#[test]
fn google_fits_data_points_are_read() {
    let points: Vec<String> = samples(START, rates())
        .iter()
        .map(|(at, bpm)| {
            let nanos = at.as_nanosecond();
            format!(
                "{{\"fitValue\": [{{\"value\": {{\"fpVal\": {bpm}.0}}}}], \"originDataSourceId\": \"raw:com.google.heart_rate.bpm:com.example:Maker:Watch\", \"endTimeNanos\": {nanos}, \"dataTypeName\": \"com.google.heart_rate.bpm\", \"startTimeNanos\": {nanos}}}"
            )
        })
        .collect();
    let text = format!(
        "{{\n  \"Data Source\": \"derived:com.google.heart_rate.bpm:com.google.android.gms:merge_heart_rate_bpm\",\n  \"Data Points\": [{}]\n}}\n",
        points.join(",\n")
    );
    let name = "derived_com.google.heart_rate.bpm_com.google.an.json";
    for (path, named) in [(format!("x/{name}"), "x"), ("fit.json".into(), "fit.json")] {
        let home = Home::new();
        fs::create_dir(home.work("x")).unwrap();
        home.write(&path, &text);
        assert_eq!(imported(&home, named), exported(START, rates()), "{named}");
    }
}

#[test]
fn apple_healths_export_is_read() {
    let records: String = samples(START, rates())
        .iter()
        .map(|(at, bpm)| {
            // Two hours further east.
            let local = *at + jiff::SignedDuration::from_hours(2);
            let time = local.strftime("%Y-%m-%d %H:%M:%S +0200");
            format!(
                " <Record type=\"HKQuantityTypeIdentifierHeartRate\" sourceName=\"Ada&apos;s Watch\" unit=\"count/min\" creationDate=\"{time}\" startDate=\"{time}\" endDate=\"{time}\" value=\"{bpm}\">\n  <MetadataEntry key=\"HKMetadataKeyHeartRateMotionContext\" value=\"0\"/>\n </Record>\n"
            )
        })
        .collect();
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE HealthData [\n<!-- HealthKit Export Version: 14 -->\n<!ELEMENT HealthData (ExportDate,Me,(Record)*)>\n]>\n<HealthData locale=\"de_DE\">\n <Record type=\"HKQuantityTypeIdentifierStepCount\" unit=\"count\" value=\"7\"/>\n{records} <Record type=\"HKQuantityTypeIdentifierRestingHeartRate\" sourceName=\"Ada&apos;s Watch\" unit=\"count/min\" startDate=\"2024-10-27 00:00:00 +0200\" value=\"58\"/>\n</HealthData>\n"
    );
    let expected = exported(START, rates()).replacen("UTC,\n", "UTC,58\n", 1);
    let home = Home::new();
    crate::harness::import_files::zip(
        &home.work("export.zip"),
        &[(
            "apple_health_export/Exportieren.xml".to_owned(),
            text.clone(),
        )],
    );
    assert_eq!(imported(&home, "export.zip"), expected);
    let home = Home::new();
    home.write("my.xml", &text);
    assert_eq!(imported(&home, "my.xml"), expected);
    // A truncated one is left out as a whole.
    let home = Home::new();
    home.write("my.xml", &text[..text.len() - 30]);
    home.run(&["import", "my.xml"])
        .exits(1)
        .says("it is not complete XML: it ends too early");
}

#[test]
fn what_is_not_taken_is_told_with_what_it_is() {
    let home = Home::new();
    for (name, text, words) in [
        (
            "sleep.csv",
            "date,asleep\n2024-10-27,7\n",
            "its columns are \"date, asleep\", and none is recognised as a heart rate: name that column bpm",
        ),
        (
            "pulse.csv",
            "pulse,note\n70,fine\n",
            "its columns are \"pulse, note\", and none is recognised as a time",
        ),
        (
            "daily.csv",
            "date,bpm\n2024-10-27,70\n",
            "its times cannot be read; the first one is \"2024-10-27\". Write them as 2024-10-27T02:00:04+02:00",
        ),
        (
            "british.csv",
            "time,bpm\n27/10/2024 08:00,70\n27/10/2024 08:01,71\n",
            "its times cannot be read; the first one is \"27/10/2024 08:00\"",
        ),
        ("empty.csv", "", "there is no heart rate in it"),
        ("header.csv", "time,bpm\n", "there is no heart rate in it"),
        ("mark.txt", "\u{feff}", "there is no heart rate in it"),
        ("list.json", "[]", "there is no heart rate in it"),
        (
            "export.xml",
            "<?xml version=\"1.0\"?><HealthData locale=\"en_GB\"></HealthData>",
            "there is no heart rate in it",
        ),
        (
            "body.json",
            "{\"activities-heart\": []}",
            "its JSON is not heart rate in a known form",
        ),
        (
            "track.xml",
            "<gpx></gpx>",
            "its XML is not an Apple Health export",
        ),
        (
            "ride.fit",
            "x",
            "a .fit file cannot be imported; supported are .zip, .tgz, .json",
        ),
        (
            "README",
            "x",
            "a file without an extension cannot be imported",
        ),
    ] {
        home.write(name, text);
        home.run(&["import", "--zone", "UTC", name])
            .exits(1)
            .says(&format!("{name} was left out: {words}"));
    }
    // A complete export without any values is reported too.
    home.write("heart_rate-2024-10-27.json", "[]");
    home.run(&["import", "--zone", "UTC", "heart_rate-2024-10-27.json"])
        .exits(1)
        .says("Read 1 file: no heart rate imported.")
        .says("found no heart rate in these files");
    // The program never waits for a pipe.
    rustix::fs::mknodat(
        rustix::fs::CWD,
        home.work("pipe.csv"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    home.run(&["import", "pipe.csv"])
        .exits(1)
        .says("pipe.csv was left out: it cannot be read: pipe.csv is a pipe, not a file");
}

#[test]
fn what_a_directory_has_under_other_names_is_passed_over_aloud() {
    let home = Home::new();
    fs::create_dir(home.work("x")).unwrap();
    let all = csv(&samples(START, rates()), None);
    home.write("x/heart_rate_2024-10-27.csv", &all);
    home.write("x/mine.csv", &all);
    home.write("x/steps.json", "[]");
    home.write("x/photo.png", "");
    home.run(&["import", "--zone", "UTC", "x"])
        .exits(0)
        .says("Read 1 file")
        .says("Skipped 2 files that do not have the name of a heart-rate export, such as x/mine.csv; to import one anyway, name it on the command line.");
}

#[test]
fn a_thousand_files_that_cannot_be_read_are_counted_and_fifty_are_named() {
    let home = Home::new();
    let entries: Vec<Entry> = (0..1_000)
        .map(|number| {
            (
                format!("heart_rate-2024-10-27 ({number}).json"),
                "{".to_owned(),
            )
        })
        .collect();
    fs::write(home.work("x.tar"), tar(&entries)).unwrap();
    let finished = home
        .run(&["import", "--zone", "UTC", "x.tar"])
        .exits(1)
        .says("Further files that are left out are only counted; --verbose names them all.")
        .says("1000 files were left out, and nothing was imported");
    assert_eq!(finished.stderr.matches("was left out:").count(), 50);
}
