use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::choice::{self, Choice};
use super::error::CliError;
use super::input;
use super::model::Model;
use crate::gpu::Gpu;
use crate::vision::top_k;

#[derive(Args)]
pub struct Arguments {
    /// Folder that holds a folder of images for each class, named by the ids of the labels, or one for every
    /// class in the order of their names; or Tiny ImageNet's `val`, of which images of classes that the network does not
    /// know are left out. Images are turned upright as their EXIF data says, which timm's evaluation does not do
    folder: PathBuf,
    #[command(flatten)]
    choice: Choice,
}

/// Tiny ImageNet's list of its validation images, beside the folder that has them.
const ANNOTATIONS: &str = "val_annotations.txt";

/// An image and the class that it shows.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sample {
    path: PathBuf,
    class: usize,
}

/// How often the network was right.
#[derive(Default)]
struct Tally {
    images: usize,
    top1: usize,
    top5: usize,
    /// Files that are no images: how many, and what was wrong with the first.
    unreadable: usize,
    first_error: Option<CliError>,
}

/// Does what the arguments say and returns the text for the terminal.
pub fn run(arguments: &Arguments) -> Result<String, CliError> {
    let choice = &arguments.choice;
    let model = choice.model()?;
    let samples = samples(&arguments.folder, &model)?;
    let tally = pollster::block_on(count(choice, &model, &samples))?;
    if tally.images == 0 {
        let first = tally.first_error.map_or("they are empty".into(), |error| error.to_string());
        return Err(CliError::NoImages { path: arguments.folder.clone(), first });
    }
    let percent = |count: usize| 100.0 * count as f64 / tally.images as f64;
    let replacements = choice.replacements();
    let mut text =
        format!("top-1 {:.2} %, top-5 {:.2} % of {} images\n", percent(tally.top1), percent(tally.top5), tally.images);
    if !replacements.is_empty() {
        text += &format!("with gates replaced: {replacements}\n");
    }
    if let Some(error) = &tally.first_error {
        text += &format!("passed over {} that could not be read; the first: {error}\n", tally.unreadable);
    }
    Ok(text)
}

async fn count(choice: &Choice, model: &Model, samples: &[Sample]) -> Result<Tally, CliError> {
    let preprocess = choice.preprocess(model);
    let replacements = choice.replacements();
    let graph = choice.graph(model, preprocess.size, preprocess.size)?;
    let gpu = Gpu::open().await.map_err(crate::engine::EngineError::from)?;
    let network = choice::load(&gpu, choice.network, graph, model).await?;
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} images, {eta} left, {msg}");
    let bar = ProgressBar::new(samples.len() as u64).with_style(style.expect("a template that is right"));
    let mut tally = Tally::default();
    for Sample { path, class } in samples {
        bar.inc(1);
        let image = match input::from_image(path, &preprocess) {
            Ok(image) => image,
            Err(error) => {
                tally.unreadable += 1;
                tally.first_error.get_or_insert(error);
                continue;
            }
        };
        let top = top_k(&network.run_with(&image.tensor, &replacements).await?.logits, 5);
        tally.images += 1;
        tally.top1 += usize::from(top.first().is_some_and(|first| first.index == *class));
        tally.top5 += usize::from(top.iter().any(|one| one.index == *class));
        bar.set_message(format!("top-1 {:.1} %", 100.0 * tally.top1 as f64 / tally.images as f64));
    }
    bar.finish_and_clear();
    Ok(tally)
}

/// All files of all classes, in the order of their names, or what a list of annotations names.
fn samples(folder: &Path, model: &Model) -> Result<Vec<Sample>, CliError> {
    let ids: Vec<&str> = model.labels.iter().map(|label| label.id.as_str()).collect();
    let list = folder.join(ANNOTATIONS);
    if list.is_file() {
        let text = fs::read_to_string(&list).map_err(CliError::read(&list))?;
        let images = folder.join("images");
        let samples = annotated(&text, &ids).map(|(file, class)| Sample { path: images.join(file), class });
        let samples: Vec<Sample> = samples.collect();
        return if samples.is_empty() { Err(CliError::Annotations { path: list }) } else { Ok(samples) };
    }
    let folders: Vec<PathBuf> = entries(folder)?.into_iter().filter(|path| path.is_dir()).collect();
    let names: Vec<String> =
        folders.iter().map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned()).collect();
    let classes = classes(&names, &ids, model.classes).map_err(|unknown| match unknown {
        Some(unknown) => CliError::Folder { path: folder.join(unknown) },
        None => CliError::Classes { path: folder.into(), folders: folders.len(), classes: model.classes },
    })?;
    let mut samples = Vec::new();
    for (path, class) in folders.iter().zip(classes) {
        let files = entries(path)?.into_iter().filter(|path| path.is_file());
        samples.extend(files.map(|path| Sample { path, class }));
    }
    Ok(samples)
}

/// File and class of each line of a list, which begins with the file's name, a tab and the class's id; without those of
/// other classes.
fn annotated<'a>(list: &'a str, ids: &'a [&str]) -> impl Iterator<Item = (&'a str, usize)> {
    list.lines().filter_map(|line| {
        let mut columns = line.split('\t');
        let (file, class) = (columns.next()?, columns.next()?);
        Some((file, ids.iter().position(|id| *id == class)?))
    })
}

/// The class of each folder: by the labels' ids, or, if none of the folders has one of these, by order if there are as
/// many folders as classes. The error is a folder that is unknown among others that are not, or nothing.
fn classes<'a>(folders: &'a [String], ids: &[&str], classes: usize) -> Result<Vec<usize>, Option<&'a str>> {
    let class = |name: &'a String| ids.iter().position(|id| id == name).ok_or(name.as_str());
    let by_id: Vec<Result<usize, &str>> = folders.iter().map(class).collect();
    match by_id.iter().any(Result::is_ok) {
        true => by_id.into_iter().collect::<Result<_, _>>().map_err(Some),
        false if folders.len() == classes => Ok((0..classes).collect()),
        false => Err(None),
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let entries = fs::read_dir(folder).map_err(CliError::read(folder))?;
    let paths: Result<Vec<PathBuf>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.map_err(CliError::read(folder))?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_classes_by_id_or_else_by_order() {
        let folders = ["n2", "n3"].map(String::from);
        assert_eq!(classes(&folders, &["n3", "n1", "n2"], 3), Ok(vec![2, 0]));
        assert_eq!(classes(&folders, &[], 2), Ok(vec![0, 1]));
        assert_eq!(classes(&folders, &["n1", "n2"], 2), Err(Some("n3")), "a name that is misspelt");
        assert_eq!(classes(&folders, &["n1", "n4"], 3), Err(None), "neither known nor as many as classes");
        assert_eq!(classes(&[], &["n1"], 1), Err(None));
    }

    #[test]
    fn a_list_names_images_of_known_classes() {
        let list = "val_0.JPEG\tn2\t0\t32\t44\t62\nval_1.JPEG\tn9\t0\t0\t1\t1\nval_2.JPEG\tn1\n\nno tab\n";
        let found: Vec<(&str, usize)> = annotated(list, &["n1", "n2"]).collect();
        assert_eq!(found, [("val_0.JPEG", 1), ("val_2.JPEG", 0)]);
    }
}
