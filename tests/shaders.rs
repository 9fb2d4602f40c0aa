//! Every shader, without a device: naga accepts it, its bindings and parameters are what the Rust twin
//! says, it stays within the limits that every WebGPU device has, and its twins exist.

use std::collections::BTreeSet;
use std::path::Path;

use naga::valid::{Capabilities, ShaderStages, SubgroupOperationSet, ValidationFlags, Validator};
use naga::{AddressSpace, StorageAccess, TypeInner};
use splitlens::kernels::{ALL, Kernel};

/// Limits of a WebGPU device that was asked for nothing more.
const MAX_STORAGE_BUFFERS: usize = 8;
const MAX_INVOCATIONS: u32 = 256;
const MAX_WORKGROUP_BYTES: u32 = 16 << 10;

fn parse(kernel: &Kernel) -> (naga::Module, naga::valid::ModuleInfo) {
    let source = kernel.source.concat();
    let module = naga::front::wgsl::parse_str(&source)
        .unwrap_or_else(|error| panic!("{}", error.emit_to_string_with_path(&source, kernel.name)));
    // Nothing that not every device has, but for the kernels that ask for it.
    let capabilities = if kernel.needs_subgroups() { Capabilities::SUBGROUP } else { Capabilities::empty() };
    let info = Validator::new(ValidationFlags::all(), capabilities)
        .subgroup_stages(ShaderStages::COMPUTE)
        .subgroup_operations(SubgroupOperationSet::all())
        .validate(&module)
        .unwrap_or_else(|error| panic!("{}", error.emit_to_string_with_path(&source, kernel.name)));
    (module, info)
}

#[test]
fn every_shader_is_valid_with_one_entry_point_of_its_name() {
    for kernel in ALL {
        let (module, _) = parse(kernel);
        let names: Vec<&str> = module.entry_points.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, [kernel.name]);
    }
}

#[test]
fn bindings_are_parameters_then_inputs_then_the_output_then_a_sampler() {
    for kernel in ALL {
        let (module, _) = parse(kernel);
        let mut bindings: Vec<(u32, AddressSpace)> = module
            .global_variables
            .iter()
            .filter_map(|(_, variable)| variable.binding.map(|binding| (binding.binding, variable.space)))
            .collect();
        bindings.sort_by_key(|(binding, _)| *binding);
        let read = AddressSpace::Storage { access: StorageAccess::LOAD };
        let write = AddressSpace::Storage { access: StorageAccess::LOAD | StorageAccess::STORE };
        let mut expected = vec![AddressSpace::Uniform];
        expected.extend(vec![read; kernel.inputs]);
        expected.push(write);
        if kernel.sampled {
            expected[2] = AddressSpace::Handle;
            expected.push(AddressSpace::Handle);
        }
        let expected: Vec<_> = (0..).zip(expected).collect();
        assert_eq!(bindings, expected, "{}", kernel.name);
        assert!(kernel.inputs < MAX_STORAGE_BUFFERS, "{}", kernel.name);
    }
}

#[test]
fn parameters_lie_where_rust_puts_them() {
    for kernel in ALL {
        let (module, _) = parse(kernel);
        let params = module.global_variables.iter().find(|(_, variable)| variable.space == AddressSpace::Uniform);
        let TypeInner::Struct { ref members, .. } = module.types[params.unwrap().1.ty].inner else {
            panic!("{}: the uniform is a struct", kernel.name);
        };
        let shader: Vec<(&str, u32)> =
            members.iter().map(|member| (member.name.as_deref().unwrap(), member.offset)).collect();
        let rust: Vec<(&str, u32)> = kernel.params.iter().copied().zip((0..).step_by(4)).collect();
        assert_eq!(shader, rust, "{}", kernel.name);
        for member in members {
            assert!(matches!(module.types[member.ty].inner, TypeInner::Scalar(naga::Scalar::U32)), "{}", kernel.name);
        }
    }
}

#[test]
fn workgroups_stay_within_the_default_limits() {
    for kernel in ALL {
        let (module, info) = parse(kernel);
        let (module, _) =
            naga::back::pipeline_constants::process_overrides(&module, &info, None, &Default::default()).unwrap();
        let invocations: u32 = module.entry_points[0].workgroup_size.iter().product();
        assert_eq!(invocations, kernel.workgroup, "{}: Rust starts workgroups of another size", kernel.name);
        assert!(invocations <= MAX_INVOCATIONS, "{}: {invocations} invocations", kernel.name);
        let mut layouter = naga::proc::Layouter::default();
        layouter.update(module.to_ctx()).unwrap();
        let workgroup =
            module.global_variables.iter().filter(|(_, variable)| variable.space == AddressSpace::WorkGroup);
        let bytes: u32 = workgroup.map(|(_, variable)| layouter[variable.ty].size).sum();
        assert!(bytes <= MAX_WORKGROUP_BYTES, "{}: {bytes} bytes", kernel.name);
    }
}

#[test]
fn shaders_kernels_and_references_are_twins() {
    let names = |folder: &str, extension: &str| -> BTreeSet<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let files = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
        let files = files.filter(|path| path.extension().is_some_and(|found| found == extension));
        files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_string()).collect()
    };
    let shaders = names("shaders", "wgsl");
    assert_eq!(shaders, ALL.iter().map(|kernel| kernel.name.to_string()).collect(), "kernels::ALL");
    for name in &shaders {
        assert!(names("src/kernels", "rs").contains(name), "src/kernels/{name}.rs");
        let source = std::fs::read_to_string(format!("{}/shaders/{name}.wgsl", env!("CARGO_MANIFEST_DIR"))).unwrap();
        assert!(source.contains(&format!("src/kernels/{name}.rs")), "{name}.wgsl names its twin in src/kernels");
        // Kernels that compute the same have one reference, by the name that theirs begin with.
        let named = source.split("src/reference/").nth(1).and_then(|rest| rest.split(".rs").next());
        let reference = named.unwrap_or_else(|| panic!("{name}.wgsl names its twin in src/reference"));
        assert!(name.starts_with(reference), "{name}.wgsl names src/reference/{reference}.rs");
        assert!(names("src/reference", "rs").contains(reference), "src/reference/{reference}.rs");
    }
}
