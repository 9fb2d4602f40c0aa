//! The command, run as a user runs it. Whole runs need an adapter and show as ignored without one.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use common::adapter::trials;
use common::command::{assert_success, folder, json, numbers, path, splitlens, text};
use common::golden::{ImageGolden, image_goldens};
use common::{assert_close, assert_within, repository};
use libtest_mimic::{Arguments, Trial};
use safetensors::tensor::{Dtype, TensorView, serialize};
use splitlens::kernels::Tuning;
use splitlens::weights::Checkpoint;

const WEIGHTS: &str = "static/models/resnest_tiny.safetensors";
const PANDA: &str = "tests/golden/images/red_panda_197x153.png";

fn main() {
    let plain: Vec<(&str, fn())> = vec![
        ("lists_networks", lists_networks),
        ("refuses_arguments_that_make_no_sense", refuses_arguments_that_make_no_sense),
        ("names_files_that_cannot_be_read", names_files_that_cannot_be_read),
        ("says_what_is_wrong_with_weights", says_what_is_wrong_with_weights),
        ("says_what_is_wrong_beside_the_weights", says_what_is_wrong_beside_the_weights),
        ("says_what_is_wrong_with_an_input", says_what_is_wrong_with_an_input),
        ("says_what_is_wrong_with_replaced_gates", says_what_is_wrong_with_replaced_gates),
    ];
    let on_an_adapter: Vec<(&str, fn())> = vec![
        ("a_run_writes_what_pytorch_computes", a_run_writes_what_pytorch_computes),
        ("heat_maps_are_pictures_with_a_legend", heat_maps_are_pictures_with_a_legend),
        ("an_input_can_stand_in_for_the_image", an_input_can_stand_in_for_the_image),
        ("replaced_gates_are_told_with_what_they_change", replaced_gates_are_told_with_what_they_change),
        ("size_and_labels_can_be_chosen", size_and_labels_can_be_chosen),
        ("an_evaluation_counts_right_answers", an_evaluation_counts_right_answers),
        ("an_evaluation_reads_tiny_imagenet_as_it_comes", an_evaluation_reads_tiny_imagenet_as_it_comes),
        ("a_benchmark_has_a_row_for_each_network", a_benchmark_has_a_row_for_each_network),
        ("a_benchmark_is_written_as_json", a_benchmark_is_written_as_json),
        ("a_benchmark_tells_where_the_time_goes", a_benchmark_tells_where_the_time_goes),
        (
            "a_benchmark_at_several_sides_with_kernels_of_its_choice",
            a_benchmark_at_several_sides_with_kernels_of_its_choice,
        ),
        ("a_benchmark_has_pytorch_beside_it", a_benchmark_has_pytorch_beside_it),
    ];
    let mut tests = trials(on_an_adapter);
    tests.extend(plain.into_iter().map(|(name, test)| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    }));
    libtest_mimic::run(&Arguments::from_args(), tests).exit();
}

/// `splitlens run` with the tiny network.
fn run(weights: &str, more: &[&str]) -> Output {
    splitlens(&[&["run", "--network", "resnest_tiny", "--weights", weights], more].concat())
}

/// One line on the standard error that holds all of `words`, and exit code 1.
fn assert_error(output: &Output, words: &[&str]) {
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert_eq!(told.trim_end().lines().count(), 1, "{told}");
    for word in words {
        assert!(told.contains(word), "`{word}` is missing in: {told}");
    }
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
}

fn lists_networks() {
    let output = splitlens(&["networks"]);
    let table = assert_success(&output);
    assert!(table.starts_with("network "), "{table}");
    for id in ["resnest_tiny", "resnest50d_4s2x40d"] {
        assert!(table.lines().any(|line| line.starts_with(id)), "{table}");
    }
}

fn a_benchmark_has_a_row_for_each_network() {
    let output = splitlens(&["bench", "regnetx_tiny", "resnest_tiny", "--runs", "1"]);
    let table = assert_success(&output);
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines.len(), 4, "the adapter, the header and two networks: {table}");
    for (line, id) in lines[2..].iter().zip(["regnetx_tiny", "resnest_tiny"]) {
        assert_eq!((line[0], line[1]), (id, "64"), "{table}");
        let [cold, warm, rate, share] = [2, 4, 6, 7].map(|column: usize| line[column].parse::<f32>().unwrap());
        assert!(cold > warm && warm > 0.0 && rate > 0.0, "{table}");
        assert!(share > 0.0 && share < 100.0, "more than bare multiply-adds: {table}");
    }
}

fn a_benchmark_is_written_as_json() {
    let file = folder("bench").join("bench.json");
    assert_success(&splitlens(&["bench", "regnetx_tiny", "--runs", "2", "--json", file.to_str().unwrap()]));
    let networks: Vec<serde_json::Value> = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let [network] = &networks[..] else { panic!("{networks:?}") };
    assert_eq!(
        (&network["network"], &network["side"], &network["torch"]),
        (&"regnetx_tiny".into(), &64.into(), &().into())
    );
    assert_eq!(network["warm_ms"].as_array().unwrap().len(), 2);
    assert!(network["kernels"].as_str().unwrap().parse::<Tuning>().is_ok());
    let count = |what: &str| network["account"][what].as_u64().unwrap();
    assert!(
        count("peak_live_bytes") <= count("activations_bytes") && count("activations_bytes") < count("total_bytes")
    );
}

fn a_benchmark_at_several_sides_with_kernels_of_its_choice() {
    let output = splitlens(&["bench", "regnetx_tiny", "--side", "32", "--side", "48", "--runs", "1", "--tune"]);
    let table = assert_success(&output);
    let kernels = table.split("kernels ").nth(1).and_then(|rest| rest.split(';').next()).unwrap();
    assert!(kernels.parse::<Tuning>().is_ok(), "{table}");
    let sides: Vec<&str> = table.lines().skip(2).filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(sides, ["32", "48"], "{table}");
}

fn a_benchmark_tells_where_the_time_goes() {
    let output = splitlens(&["bench", "resnest_tiny", "--runs", "1", "--blocks"]);
    let (table, blocks) =
        assert_success(&output).split_once("\n\n").map(|(a, b)| (a.to_string(), b.to_string())).unwrap();
    let lines: Vec<Vec<&str>> = blocks.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["resnest_tiny", "at", "64", "time", "GFLOP/s", "starts"]);
    assert_eq!((lines[1][0], lines[2][0], lines[lines.len() - 1][0]), ("stem", "layer1.0", "maps"));
    let starts: usize = lines[1..].iter().map(|line| line.last().unwrap().parse::<usize>().unwrap()).sum();
    let all = table.lines().last().unwrap().split_whitespace().rev().nth(2).unwrap();
    assert_eq!(starts.to_string(), all, "{table}\n{blocks}");
}

/// A script in place of Python answers as `bench/peer.py` does, with timm's logits and with others.
fn a_benchmark_has_pytorch_beside_it() {
    let golden = fs::read(repository("tests/golden/networks/regnetx_tiny.safetensors")).unwrap();
    let logits = Checkpoint::parse(&golden).unwrap().values("64/logits").to_vec();
    let bench = |logits: &[f32]| {
        let peer = folder("peer").join("python");
        let run = serde_json::json!({ "milliseconds": 1e6, "logits": logits });
        let text = format!("#!/bin/sh\necho '{{\"device\": \"a script\"}}'\nwhile read -r _; do echo '{run}'; done\n");
        fs::write(&peer, text).unwrap();
        fs::set_permissions(&peer, PermissionsExt::from_mode(0o755)).unwrap();
        splitlens(&["bench", "regnetx_tiny", "--runs", "1", "--torch", path(&peer)])
    };
    let output = bench(&logits);
    let table = assert_success(&output);
    assert!(table.contains("; PyTorch on a script; "), "{table}");
    let last: Vec<&str> = table.lines().last().unwrap().split_whitespace().rev().collect();
    assert_eq!((last[1], last[2]), ("ms", "1000000.0"), "{table}");
    assert!(last[0].parse::<f32>().unwrap() > 1.0, "{table}");

    let other: Vec<f32> = logits.iter().map(|logit| 1.01 * logit).collect();
    for other in [&other, &logits[1..]] {
        // The driver may have said something, too.
        let told = bench(other);
        assert_eq!(told.status.code(), Some(1));
        assert!(
            text(&told.stderr).contains("splitlens: PyTorch's logits of regnetx_tiny are"),
            "{}",
            text(&told.stderr)
        );
    }
    let missing = splitlens(&["bench", "regnetx_tiny", "--runs", "1", "--torch", "no/such/python"]);
    assert_error(&missing, &["PyTorch did not run beside this", "bench/requirements.txt"]);
}

fn refuses_arguments_that_make_no_sense() {
    let refused = |arguments: &[&str], word: &str| {
        let output = splitlens(arguments);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(told.contains(word), "{arguments:?}: {told}");
    };
    let tiny = ["run", "--network", "resnest_tiny", "--weights", WEIGHTS];
    refused(&[], "Usage");
    refused(&["run", PANDA, "--weights", WEIGHTS], "--network");
    refused(&["run", PANDA, "--network", "resnest_tiny"], "--weights");
    refused(&["run", PANDA, "--network", "alexnet", "--weights", WEIGHTS], "resnest_tiny");
    refused(&["bench", "alexnet"], "resnest_tiny");
    refused(&["bench", "--runs", "0"], "0 is not in 1..");
    refused(&tiny, "IMAGE");
    for size in ["0", "31", "4097", "-64", "large"] {
        refused(&[&tiny, [PANDA, &format!("--size={size}")].as_slice()].concat(), "from 32 to 4096");
    }
    refused(&[&tiny, [PANDA, "--gates=uniform"].as_slice()].concat(), "UNIT=HOW");
    refused(&[&tiny, [PANDA, "--gates=all=half"].as_slice()].concat(), "`half` says not what gates to take");
    refused(&[&tiny, [PANDA, "--input", "x.safetensors"].as_slice()].concat(), "cannot be used with");
}

fn names_files_that_cannot_be_read() {
    assert_error(&run(WEIGHTS, &["no/such.png"]), &["cannot read no/such.png"]);
    assert_error(&run("no/such.safetensors", &[PANDA]), &["cannot read no/such.safetensors"]);
    assert_error(&run(WEIGHTS, &["Cargo.toml"]), &["Cargo.toml is not an image that can be read"]);
    let half = folder("half_an_image").join("half.png");
    let whole = fs::read(repository(PANDA)).unwrap();
    fs::write(&half, &whole[..whole.len() / 2]).unwrap();
    assert_error(&run(WEIGHTS, &[path(&half)]), &["half.png is not an image that can be read"]);
}

fn says_what_is_wrong_with_weights() {
    assert_error(&run(PANDA, &[PANDA]), &[PANDA, "at most 25000000 are read: this is no safetensors file"]);
    let cut = folder("cut_weights").join("cut.safetensors");
    fs::write(&cut, &fs::read(repository(WEIGHTS)).unwrap()[..100_000]).unwrap();
    assert_error(
        &run(path(&cut), &[PANDA]),
        &["cut.safetensors", "the file has 100000 bytes, but its header speaks of"],
    );
    let bare = folder("bare_weights").join("bare.safetensors");
    fs::copy(repository(WEIGHTS), &bare).unwrap();
    let other = |weights| splitlens(&["run", PANDA, "--network", "resnest14d", "--weights", weights]);
    let misfit = ["bare.safetensors", "do not fit the network", "unexpected", "of another shape"];
    assert_error(&other(path(&bare)), &misfit);
    assert_error(&other(WEIGHTS), &["resnest_tiny.json", "is of resnest_tiny, not of resnest14d"]);
    let alien = folder("alien_weights").join("alien.safetensors");
    let tensor = TensorView::new(Dtype::F32, vec![1], &[0; 4]).unwrap();
    fs::write(&alien, serialize([("weight", tensor)], None).unwrap()).unwrap();
    assert_error(&run(path(&alien), &[PANDA]), &["missing (conv1.0.weight", "1 unexpected (weight)"]);
}

fn says_what_is_wrong_beside_the_weights() {
    let folder = folder("beside");
    let weights = folder.join("tiny.safetensors");
    fs::copy(repository(WEIGHTS), &weights).unwrap();
    let card = fs::read_to_string(repository("static/models/resnest_tiny.json")).unwrap();
    let with_card = |card: &str| {
        fs::write(folder.join("tiny.json"), card).unwrap();
        run(path(&weights), &[PANDA])
    };
    assert_error(&with_card(&card), &["cannot read", "classes.txt"]);
    assert_error(&with_card("{"), &["tiny.json", "cannot be read"]);
    assert_error(&with_card(&card.replace("0.229", "0.0")), &["tiny.json", "standard deviation"]);
    fs::write(folder.join("classes.txt"), "cat\ndog\n").unwrap();
    assert_error(&with_card(&card), &["classes.txt", "2 labels", "100 classes"]);
}

fn says_what_is_wrong_with_an_input() {
    assert_error(&run(WEIGHTS, &["--input", WEIGHTS]), &[WEIGHTS, "no tensor `input`"]);
    assert_error(&run(WEIGHTS, &["--input", PANDA]), &[PANDA, "does not hold a network's input"]);
}

fn says_what_is_wrong_with_replaced_gates() {
    let gates = |gates: &str| run(WEIGHTS, &[PANDA, "--gates", gates]);
    assert_error(&gates("layer9=swap"), &["no unit `layer9`; its units are layer1.0.conv2, ", "layer4.1.conv2"]);
    assert_error(&gates("all=branch:3"), &["branches 1 to 2, but got branch 3"]);
    assert_error(&gates("layer1.0.conv2=1"), &["takes 2 weights, one per branch, or 32", "but got 1"]);
    assert_error(&gates("all=2/0"), &["between 0 and 1, but got 2"]);
}

fn panda() -> ImageGolden {
    image_goldens().into_iter().find(|golden| PANDA.ends_with(&golden.file)).unwrap()
}

fn a_run_writes_what_pytorch_computes() {
    let out = folder("run").join("panda.json");
    let output = run(WEIGHTS, &[PANDA, "--json", path(&out)]);
    let told = assert_success(&output);
    let report = json(&out);
    assert_within(&numbers(&report["logits"]), &panda().logits, 1e-3, "logits");

    let top = report["top"].as_array().unwrap();
    assert_eq!(top.len(), 5);
    let label = top[0]["label"].as_str().unwrap();
    assert!(told.contains(label), "{told}");
    let probabilities: Vec<f64> = top.iter().map(|class| class["probability"].as_f64().unwrap()).collect();
    assert!(probabilities.iter().rev().is_sorted() && probabilities[0] < 1.0, "{probabilities:?}");
    let best = top[0]["index"].as_u64().unwrap() as usize;
    assert!(panda().logits.iter().all(|logit| *logit <= panda().logits[best]));

    let units = report["units"].as_array().unwrap();
    assert_eq!(units.len(), panda().units.len());
    for (unit, expected) in units.iter().zip(&panda().units) {
        assert_eq!(unit["name"], *expected.name);
        assert_eq!(
            (&unit["kind"], &unit["radix"], &unit["cardinality"]),
            (&"split_attention".into(), &2.into(), &1.into())
        );
        let attention: Vec<f32> = unit["attention"].as_array().unwrap().iter().flat_map(numbers).collect();
        assert_close(&attention, &expected.attention.concat(), 1e-4, &expected.name);
        assert!(unit["residual"]["relative"].as_f64().unwrap() < 1e-5, "{unit}");
    }
    assert_eq!(report["network"]["input"], serde_json::json!([3, 64, 64]));
    assert!(!report["adapter"]["name"].as_str().unwrap().is_empty());
}

fn heat_maps_are_pictures_with_a_legend() {
    let folder = folder("heatmaps").join("made");
    assert_success(&run(WEIGHTS, &[PANDA, "--heatmaps", path(&folder)]));
    let legend = json(&folder.join("legend.json"));
    let legend = legend.as_array().unwrap();
    // Eight units, four kinds, two branches.
    assert_eq!(legend.len(), 64);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 65);
    for entry in legend {
        let picture = image::open(folder.join(entry["file"].as_str().unwrap())).unwrap();
        assert_eq!((picture.width(), picture.height()), (256, 256), "{entry}");
        let (low, high) = (entry["low"].as_f64().unwrap(), entry["high"].as_f64().unwrap());
        match entry["kind"].as_str().unwrap() {
            "share" => assert_eq!((low, high), (0.0, 1.0)),
            "difference" => assert_eq!(low, -high),
            _ => assert!(low >= 0.0 && high > low, "{entry}"),
        }
    }
    let bytes = |branch| fs::read(folder.join(format!("layer1.0.conv2.contribution.branch{branch}.png"))).unwrap();
    assert_ne!(bytes(1), bytes(2));
}

fn an_input_can_stand_in_for_the_image() {
    let folder = folder("input");
    let out = folder.join("panda.json");
    let input = "tests/golden/resnest_tiny_input.safetensors";
    assert_success(&run(WEIGHTS, &["--input", input, "--json", path(&out), "--heatmaps", path(&folder)]));
    assert_within(&numbers(&json(&out)["logits"]), &panda().logits, 1e-3, "logits");
    assert!(json(&out)["network"]["resized"].is_null(), "the input was given as it is");
    assert!(folder.join("layer4.1.conv2.share.branch2.png").exists());
}

fn replaced_gates_are_told_with_what_they_change() {
    let folder = folder("gates");
    let [plain, replaced] = ["plain.json", "replaced.json"].map(|name| folder.join(name));
    let plain_text = run(WEIGHTS, &[PANDA, "--json", path(&plain)]);
    let gates = ["--gates", "all=uniform", "--gates", "layer2.0.conv2=0.25/0.75"];
    let output = run(WEIGHTS, &[[PANDA, "--json", path(&replaced)].as_slice(), &gates].concat());
    let told = assert_success(&output);
    assert!(told.starts_with("replaced  untouched\n"), "{told}");
    assert!(told.contains("with gates replaced: all=uniform, layer2.0.conv2=0.25/0.75\n"), "{told}");

    let [plain, replaced] = [plain, replaced].map(|path| json(&path));
    assert_eq!(replaced["untouched"]["logits"], plain["logits"]);
    assert_eq!(replaced["untouched"]["top"], plain["top"]);
    assert_ne!(replaced["logits"], plain["logits"]);
    // Every class among either five, with its probability in both.
    for report in [&plain, &replaced] {
        for class in report["top"].as_array().unwrap() {
            let line = told.lines().find(|line| line.ends_with(class["label"].as_str().unwrap())).unwrap();
            assert!(line.contains(&format!("{:.1} %", 100.0 * class["probability"].as_f64().unwrap())), "{line}");
        }
    }
    for unit in replaced["units"].as_array().unwrap() {
        let (how, first) = if unit["name"] == "layer2.0.conv2" { ("0.25/0.75", 0.25) } else { ("uniform", 0.5) };
        assert_eq!(unit["replaced"], how);
        for (branch, gate) in unit["attention"].as_array().unwrap().iter().zip([first, 1.0 - first]) {
            assert!(numbers(branch).iter().all(|found| *found == gate), "{unit}");
        }
    }
    let told = assert_success(&plain_text);
    assert!(!told.contains("replaced") && plain.get("untouched").is_none(), "{told}");
    assert!(plain["units"][0].get("replaced").is_none(), "{plain}");
}

fn size_and_labels_can_be_chosen() {
    let folder = folder("chosen");
    let (out, labels) = (folder.join("out.json"), folder.join("labels.txt"));
    let names: Vec<String> = (0..100).map(|class| format!("class number {class}")).collect();
    fs::write(&labels, names.join("\n")).unwrap();
    let chosen = ["--size", "97", "--labels", path(&labels), "--json", path(&out)];
    assert_success(&run(WEIGHTS, &[[PANDA].as_slice(), &chosen].concat()));
    let report = json(&out);
    assert_eq!(report["network"]["input"], serde_json::json!([3, 97, 97]));
    let top = &report["top"][0];
    assert_eq!(top["label"], *names[top["index"].as_u64().unwrap() as usize]);
    assert_eq!(report["units"][0]["map"], serde_json::json!([49, 49]));
    let nowhere = run(WEIGHTS, &[PANDA, "--json", "no/such/folder/out.json"]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(text(&nowhere.stderr).contains("cannot write no/such/folder/out.json"));
    let unread = folder.join("unread.json");
    assert_error(&run(WEIGHTS, &["no such picture", "--json", path(&unread)]), &["no such picture"]);
    assert!(!unread.exists(), "nothing is left of a run that failed");
}

fn an_evaluation_counts_right_answers() {
    let root = folder("eval");
    // The bison is right; the panda lies in the koala's folder, which is not among the network's first five.
    for (wnid, image) in [("n02410509", "bison_190x75.png"), ("n01882714", "red_panda_197x153.png")] {
        fs::create_dir(root.join(wnid)).unwrap();
        fs::copy(repository("tests/golden/images").join(image), root.join(wnid).join(image)).unwrap();
    }
    let eval = |folder: &Path| {
        splitlens(&["eval", folder.to_str().unwrap(), "--network", "resnest_tiny", "--weights", WEIGHTS])
    };
    assert_eq!(assert_success(&eval(&root)), "top-1 50.00 %, top-5 50.00 % of 2 images\n");

    let with_gates = ["--network", "resnest_tiny", "--weights", WEIGHTS, "--gates", "all=uniform"];
    let told = splitlens(&[["eval", path(&root)].as_slice(), &with_gates].concat());
    assert!(assert_success(&told).ends_with("of 2 images\nwith gates replaced: all=uniform\n"), "{told:?}");

    fs::write(root.join("n02410509/notes.txt"), "no image").unwrap();
    let told = eval(&root);
    assert!(assert_success(&told).contains("passed over"), "{}", text(&told.stdout));
    fs::remove_file(root.join("n02410509/bison_190x75.png")).unwrap();
    fs::remove_file(root.join("n01882714/red_panda_197x153.png")).unwrap();
    // The driver may have had something to say before.
    let told = eval(&root);
    assert_eq!(told.status.code(), Some(1));
    let last = text(&told.stderr).trim_end().lines().last().unwrap_or_default().to_string();
    assert!(["no file in the folders of", "notes.txt"].iter().all(|words| last.contains(words)), "{last}");
    fs::create_dir(root.join("somewhere")).unwrap();
    assert_error(&eval(&root), &["somewhere is no label's id"]);
    assert_error(&eval(&root.join("somewhere")), &["0 folders", "100 classes"]);
}

fn an_evaluation_reads_tiny_imagenet_as_it_comes() {
    let root = folder("tiny-imagenet-val");
    fs::create_dir(root.join("images")).unwrap();
    for (name, image) in [("val_0.png", "bison_190x75.png"), ("val_1.png", "red_panda_197x153.png")] {
        fs::copy(repository("tests/golden/images").join(image), root.join("images").join(name)).unwrap();
    }
    let eval = || splitlens(&["eval", path(&root), "--network", "resnest_tiny", "--weights", WEIGHTS]);
    let list = |lines: &str| fs::write(root.join("val_annotations.txt"), lines).unwrap();
    // Tigers are not among the hundred classes.
    list("val_0.png\tn02410509\t0\t0\t9\t9\nval_1.png\tn02129604\t0\t0\t9\t9\n");
    assert_eq!(assert_success(&eval()), "top-1 100.00 %, top-5 100.00 % of 1 images\n");
    list("val_1.png\tn02129604\t0\t0\t9\t9\n");
    assert_error(&eval(), &["val_annotations.txt names no image of a class that the network knows"]);
}
