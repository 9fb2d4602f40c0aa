use super::{Bound, Gpu, GpuError, Uniforms};
use crate::kernels::{Dispatch, Kernel};

/// A kernel's name, and whether it samples: some have both forms.
pub(super) type ModuleKey = (&'static str, bool);
/// What makes a pipeline another one: the kernel and the values of its overrides.
pub(super) type PipelineKey = (ModuleKey, Vec<(&'static str, u32)>);

fn key_of(dispatch: &Dispatch) -> PipelineKey {
    (module_key_of(dispatch.kernel), dispatch.overrides.clone())
}

fn module_key_of(kernel: &Kernel) -> ModuleKey {
    (kernel.name, kernel.sampled)
}

/// A dispatch with its pipeline and buffers bound, ready to be run any number of times.
pub struct Task {
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) bindings: wgpu::BindGroup,
    pub(super) workgroups: u32,
    key: PipelineKey,
}

impl Task {
    /// Its pipeline, as the kernel's name and the values of its overrides: `pointwise sampled tile_blocks=4 curves=0`.
    pub fn pipeline_name(&self) -> String {
        let ((kernel, sampled), overrides) = &self.key;
        let overrides = overrides.iter().map(|(name, value)| format!(" {name}={value}"));
        overrides.fold((*kernel).to_string() + if *sampled { " sampled" } else { "" }, |name, value| name + &value)
    }
}

impl Gpu {
    /// Makes the dispatch's pipeline, unless it was made before; the driver compiles it now.
    pub async fn compile(&self, dispatch: &Dispatch) -> Result<(), GpuError> {
        if self.has_compiled(dispatch) {
            return Ok(());
        }
        let kernel = dispatch.kernel;
        let module_key = module_key_of(kernel);
        let known =
            self.0.modules.borrow().iter().find(|(key, _)| *key == module_key).map(|(_, module)| module.clone());
        let is_new = known.is_none();
        let create = || {
            let module = known.unwrap_or_else(|| self.create_module(kernel));
            let pipeline = self.create_pipeline(dispatch, &module);
            (module, pipeline)
        };
        let (module, pipeline) = self.checked(create).await?;
        if is_new {
            self.0.modules.borrow_mut().push((module_key, module));
        }
        self.0.pipelines.borrow_mut().insert(key_of(dispatch), pipeline);
        Ok(())
    }

    /// Whether the dispatch's pipeline is there.
    pub fn has_compiled(&self, dispatch: &Dispatch) -> bool {
        self.0.pipelines.borrow().contains_key(&key_of(dispatch))
    }

    /// Pipelines made so far.
    pub fn pipelines(&self) -> usize {
        self.0.pipelines.borrow().len()
    }

    /// Binds a compiled dispatch to its buffers: the parameters at `slot`, the inputs in the kernel's
    /// order, the output. Panics unless [`compile`](Self::compile) has succeeded for it.
    pub fn bind(&self, dispatch: &Dispatch, params: &Uniforms, slot: usize, bound: &[Bound<'_>]) -> Task {
        let kernel = dispatch.kernel;
        assert_eq!(bound.len(), kernel.inputs + 1, "buffers of {}", kernel.name);
        let key = key_of(dispatch);
        let pipeline = self.0.pipelines.borrow()[&key].clone();
        let uniform = wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer: &params.allocation.buffer,
            offset: params.stride * slot as u64,
            size: wgpu::BufferSize::new(dispatch.params.len() as u64),
        });
        let sampler = kernel.sampled.then_some(wgpu::BindingResource::Sampler(&self.0.nearest));
        let resources = std::iter::once(uniform).chain(bound.iter().map(|bound| bound.resource())).chain(sampler);
        let entries: Vec<_> =
            (0..).zip(resources).map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource }).collect();
        let bindings = self.0.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(kernel.name),
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        Task { pipeline, bindings, workgroups: dispatch.workgroups, key }
    }

    fn create_module(&self, kernel: &Kernel) -> wgpu::ShaderModule {
        // A browser insists on the directive, which wgpu's own compiler does not know yet. No line break, so that the
        // lines of messages stay true.
        let enable = if kernel.needs_subgroups() && cfg!(target_arch = "wasm32") { "enable subgroups; " } else { "" };
        let source = format!("{enable}{}", kernel.source.concat()).into();
        self.0.device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(kernel.name),
            source: wgpu::ShaderSource::Wgsl(source),
        })
    }

    fn create_pipeline(&self, dispatch: &Dispatch, module: &wgpu::ShaderModule) -> wgpu::ComputePipeline {
        let kernel = dispatch.kernel;
        let constants: Vec<(&str, f64)> =
            dispatch.overrides.iter().map(|&(name, value)| (name, f64::from(value))).collect();
        self.0.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(kernel.name),
            layout: kernel.sampled.then(|| self.sampling_layout(kernel)).as_ref(),
            module,
            entry_point: Some(kernel.name),
            compilation_options: wgpu::PipelineCompilationOptions { constants: &constants, ..Default::default() },
            cache: None,
        })
    }

    /// Of a kernel that samples a texture: what is told from a shader is a sampler that mixes texels, which not every
    /// device can do with floats of 32 bits.
    fn sampling_layout(&self, kernel: &Kernel) -> wgpu::PipelineLayout {
        let storage = |read_only| buffer(wgpu::BufferBindingType::Storage { read_only });
        let input = |index| match index {
            1 => wgpu::BindingType::Texture {
                sample_type: wgpu::TextureSampleType::Float { filterable: false },
                view_dimension: wgpu::TextureViewDimension::D2,
                multisampled: false,
            },
            _ => storage(true),
        };
        let sampler = wgpu::BindingType::Sampler(wgpu::SamplerBindingType::NonFiltering);
        let types = [buffer(wgpu::BufferBindingType::Uniform)].into_iter().chain((0..kernel.inputs).map(input));
        let types = types.chain([storage(false), sampler]);
        let visibility = wgpu::ShaderStages::COMPUTE;
        let entry = |(binding, ty)| wgpu::BindGroupLayoutEntry { binding, visibility, ty, count: None };
        let group = self.0.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some(kernel.name),
            entries: &Vec::from_iter((0..).zip(types).map(entry)),
        });
        self.0.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(kernel.name),
            bind_group_layouts: &[Some(&group)],
            ..Default::default()
        })
    }
}

fn buffer(ty: wgpu::BufferBindingType) -> wgpu::BindingType {
    wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None }
}
