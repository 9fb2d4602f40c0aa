//! Every variant of the table has timm's tensors, parameters, multiply-adds, activations and units
//! (`tests/arch/*.txt`, written by `tests/arch/generate.py`); and where it has no units, layers to look at.

use std::collections::BTreeMap;

use serde_json::json;
use splitlens::arch::zoo::{self, VARIANTS, Variant};
use splitlens::arch::{Recognition, recognise};
use splitlens::graph::cost::{Cost, cost};
use splitlens::graph::{Graph, Plan, StepKind, UnitKind};
use splitlens::weights::Header;

/// One of timm's networks, as the generator saw it.
struct Expected {
    classes: usize,
    parameters: u64,
    /// Input side, multiply-adds, activations.
    costs: Vec<(usize, u64, u64)>,
    /// Module path, kind, branches, channels.
    units: Vec<(String, String, usize, usize)>,
    tensors: BTreeMap<String, Vec<usize>>,
}

fn expected(id: &str) -> Expected {
    let path = format!("{}/tests/arch/{id}.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut expected =
        Expected { classes: 0, parameters: 0, costs: Vec::new(), units: Vec::new(), tensors: BTreeMap::new() };
    let mut paragraph = 0;
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match (paragraph, words.as_slice()) {
            (_, [""]) => paragraph += 1,
            (0, ["network", name]) => assert_eq!(*name, id),
            (0, ["batch_norm_eps", _]) => {}
            (0, ["classes", count]) => expected.classes = count.parse().unwrap(),
            (0, ["parameters", count]) => expected.parameters = count.parse().unwrap(),
            (0, ["at", side, "macs", macs, "activations", activations]) => {
                expected.costs.push((side.parse().unwrap(), macs.parse().unwrap(), activations.parse().unwrap()));
            }
            (1, [path, kind, branches, channels]) => {
                let (branches, channels) = (branches.parse().unwrap(), channels.parse().unwrap());
                expected.units.push((path.to_string(), kind.to_string(), branches, channels));
            }
            (2, [name, shape]) => {
                let shape = shape.split(',').map(|extent| extent.parse().unwrap()).collect();
                expected.tensors.insert(name.to_string(), shape);
            }
            _ => panic!("{path}: {line}"),
        }
    }
    expected
}

fn each(check: impl Fn(&Variant, &Expected, &dyn Fn(usize) -> Graph)) {
    for variant in VARIANTS {
        let expected = expected(variant.id);
        check(variant, &expected, &|side| variant.build(side, side, expected.classes));
    }
}

#[test]
fn tensors_have_timms_names_and_shapes() {
    each(|variant, expected, build| {
        let parameters = build(expected.costs[0].0).parameters();
        let count = parameters.len();
        let found: BTreeMap<String, Vec<usize>> = parameters.into_iter().map(|p| (p.name, p.shape)).collect();
        assert_eq!(found.len(), count, "{}: a name stands twice", variant.id);
        assert_eq!(found, expected.tensors, "{}", variant.id);
    });
}

#[test]
fn costs_are_what_hooks_count() {
    each(|variant, expected, build| {
        for &(side, macs, activations) in &expected.costs {
            let expected = Cost { parameters: expected.parameters, macs, activations };
            assert_eq!(cost(&build(side)), expected, "{} at {side}", variant.id);
        }
    });
}

#[test]
fn units_are_timms_modules() {
    each(|variant, expected, build| {
        let graph = build(expected.costs[0].0);
        let units = graph.units.iter().map(|unit| {
            let kind = match unit.kind {
                UnitKind::SplitAttention { .. } => "split_attention",
                UnitKind::SelectiveKernel { .. } => "selective_kernel",
                UnitKind::SqueezeExcite => "squeeze_excite",
            };
            (unit.name.clone(), kind.to_string(), unit.kind.branches(), graph.shape(unit.output).channels)
        });
        assert_eq!(units.collect::<Vec<_>>(), expected.units, "{}", variant.id);
    });
}

#[test]
fn names_of_torchvision_become_timms() {
    for id in ["regnetx_008", "regnety_016"] {
        let expected = expected(id).tensors;
        let path = format!("{}/tests/arch/torchvision/{id}.txt", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let pairs: Vec<(&str, &str)> = text.lines().map(|line| line.split_once(' ').unwrap()).collect();
        assert_eq!(pairs.len(), expected.len());

        let mut header = serde_json::Map::new();
        let mut end = 0;
        for (theirs, timm) in pairs {
            let shape = &expected[timm];
            let begin = end;
            end += 4 * shape.iter().product::<usize>();
            header.insert(theirs.into(), json!({"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}));
        }
        let json = serde_json::to_vec(&header).unwrap();
        let start = [&(json.len() as u64).to_le_bytes(), json.as_slice()].concat();
        let shapes = Header::parse(&start, (start.len() + end) as u64).unwrap().shapes();
        assert_eq!(shapes, expected);
        let fits = Recognition::Fits { variants: vec![zoo::variant(id).unwrap()], classes: 1000 };
        assert_eq!(recognise(&shapes), fits);
    }
}

#[test]
fn layers_are_the_spatial_convolutions_of_networks_without_units() {
    each(|variant, expected, build| {
        let graph = build(expected.costs[0].0);
        assert_eq!(graph.layers.is_empty(), !graph.units.is_empty(), "{}", variant.id);
        let steps = Plan::new(&graph).steps;
        for layer in &graph.layers {
            let step = steps.iter().find(|step| step.output == layer.value);
            let Some(StepKind::Conv(conv)) = step.map(|step| &step.kind) else {
                panic!("{} {}: no convolution's step ends in the layer", variant.id, layer.name)
            };
            // RegNet's module holds the convolution, its norm and its activation.
            assert_eq!(conv.name.trim_end_matches(".conv"), layer.name, "{}", variant.id);
            assert_eq!(conv.conv.groups, layer.groups, "{} {}", variant.id, layer.name);
            assert!(conv.conv.kernel > 1, "{} {}", variant.id, layer.name);
        }
        let unseen = Graph { layers: Vec::new(), ..graph };
        assert_eq!(Plan::new(&unseen).steps, steps, "{}: showing layers breaks no fusion", variant.id);
    });
}

#[test]
fn layers_have_timms_paths() {
    let layers = |id| {
        let variant = VARIANTS.iter().find(|variant| variant.id == id).unwrap();
        let layers = variant.build(64, 64, 10).layers.into_iter();
        layers.map(|layer| (layer.name, layer.groups)).collect::<Vec<_>>()
    };
    let named = |name: &str, groups| (name.to_string(), groups);
    assert_eq!(layers("resnet18")[1], named("layer1.1.conv1", 1));
    assert_eq!(layers("resnext50_32x4d")[3], named("layer2.0.conv2", 32));
    assert_eq!((layers("regnetx_002")[0].clone(), layers("regnetx_002").len()), (named("s1.b1.conv2", 3), 13));
    assert_eq!(layers("tf_efficientnet_lite0")[1], named("blocks.1.0.conv_dw", 96));
}
