//! Names of other libraries where they are all that differs from timm's.
//!
//! torchvision's ResNet and ResNeXt and the authors' ResNeSt (github.com/zhanghang1989/ResNeSt) name their tensors
//! as timm does; torchvision's RegNet does not.

use std::collections::BTreeMap;

/// Where torchvision's RegNet names begin that are outside its blocks, and where timm's do.
const OUTSIDE: [(&str, &str); 3] = [("stem.0.", "stem.conv."), ("stem.1.", "stem.bn."), ("fc.", "head.fc.")];

/// Where the names of its blocks begin.
const BLOCK: &str = "trunk_output.block";

/// The same inside a block, after `trunk_output.block2.block2-0.` and `s2.b1.`.
const INSIDE: [(&str, &str); 9] = [
    ("proj.0.", "downsample.conv."),
    ("proj.1.", "downsample.bn."),
    ("f.a.0.", "conv1.conv."),
    ("f.a.1.", "conv1.bn."),
    ("f.b.0.", "conv2.conv."),
    ("f.b.1.", "conv2.bn."),
    ("f.se.", "se."),
    ("f.c.0.", "conv3.conv."),
    ("f.c.1.", "conv3.bn."),
];

/// The tensors under timm's names, if every one has a name of torchvision's RegNet and some are of its blocks, as no
/// other network's are; else as they are.
pub(super) fn timm_names<T>(tensors: BTreeMap<String, T>) -> BTreeMap<String, T> {
    if !tensors.keys().any(|name| name.starts_with(BLOCK)) {
        return tensors;
    }
    let names: Option<Vec<String>> = tensors.keys().map(|name| torchvision_regnet(name)).collect();
    match names {
        Some(names) => names.into_iter().zip(tensors.into_values()).collect(),
        None => tensors,
    }
}

/// timm's name for a tensor of torchvision's RegNet. No two become one.
fn torchvision_regnet(name: &str) -> Option<String> {
    let Some(block) = name.strip_prefix(BLOCK) else {
        return exchange(&OUTSIDE, name);
    };
    // For example `2.block2-0.f.a.0.weight`; blocks are counted from 0 there, from 1 at timm.
    let (stage, block) = block.split_once(".block")?;
    let (block, layer) = block.strip_prefix(stage)?.strip_prefix('-')?.split_once('.')?;
    Some(format!("s{}.b{}.{}", number(stage)?, number(block)? + 1, exchange(&INSIDE, layer)?))
}

/// A number as it is usually written, so that no two texts are the same one.
fn number(text: &str) -> Option<u64> {
    let number: u32 = text.parse().ok()?;
    (number.to_string() == text).then_some(number.into())
}

/// The name with the table's beginning in place of its own.
fn exchange(table: &[(&str, &str)], name: &str) -> Option<String> {
    table.iter().find_map(|(theirs, timm)| Some(format!("{timm}{}", name.strip_prefix(theirs)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renamed(names: &[&str]) -> Vec<String> {
        timm_names(names.iter().map(|name| (name.to_string(), ())).collect()).into_keys().collect()
    }

    #[test]
    fn a_regnet_of_torchvision_gets_timms_names() {
        let theirs =
            ["trunk_output.block3.block3-10.f.c.1.bias", "fc.weight", "trunk_output.block1.block1-0.f.se.fc1.bias"];
        assert_eq!(renamed(&theirs), ["head.fc.weight", "s1.b1.se.fc1.bias", "s3.b11.conv3.bn.bias"]);
    }

    #[test]
    fn one_name_of_another_network_leaves_all_as_they_are() {
        let mixed = ["fc.bias", "layer1.0.conv1.weight"];
        assert_eq!(renamed(&mixed), mixed);
        let classifier = ["fc.bias", "fc.weight"];
        assert_eq!(renamed(&classifier), classifier, "of a ResNet as well");
        for name in [
            "block1.block2-0.proj.0.w",
            "blocka.blocka-0.proj.0.w",
            "block1.block1-00.proj.0.w",
            "block1.block1-0.proj.2.w",
            "block1",
            "",
        ] {
            assert_eq!(torchvision_regnet(&format!("trunk_output.{name}")), None);
        }
    }
}
