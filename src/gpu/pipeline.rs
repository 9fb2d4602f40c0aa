use super::{Gpu, GpuError, Slice, Uniforms};
use crate::kernels::{Dispatch, Kernel};

/// What makes a pipeline another one: the kernel and the values of its overrides.
pub(super) type PipelineKey = (&'static str, Vec<(&'static str, u32)>);

fn key_of(dispatch: &Dispatch) -> PipelineKey {
    (dispatch.kernel.name, dispatch.overrides.clone())
}

/// A dispatch with its pipeline and buffers bound, ready to be run any number of times.
pub struct Task {
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) bindings: wgpu::BindGroup,
    pub(super) workgroups: u32,
    key: PipelineKey,
}

impl Task {
    /// Its pipeline, as the kernel's name and the values of its overrides: `pointwise tile_blocks=4 curves=0`.
    pub fn pipeline_name(&self) -> String {
        let (kernel, overrides) = &self.key;
        let overrides = overrides.iter().map(|(name, value)| format!(" {name}={value}"));
        overrides.fold((*kernel).to_string(), |name, value| name + &value)
    }
}

impl Gpu {
    /// Makes the dispatch's pipeline, unless it was made before; the driver compiles it now.
    pub async fn compile(&self, dispatch: &Dispatch) -> Result<(), GpuError> {
        if self.has_compiled(dispatch) {
            return Ok(());
        }
        let kernel = dispatch.kernel;
        let known =
            self.0.modules.borrow().iter().find(|(name, _)| *name == kernel.name).map(|(_, module)| module.clone());
        let is_new = known.is_none();
        let create = || {
            let module = known.unwrap_or_else(|| self.create_module(kernel));
            let pipeline = self.create_pipeline(dispatch, &module);
            (module, pipeline)
        };
        let (module, pipeline) = self.checked(create).await?;
        if is_new {
            self.0.modules.borrow_mut().push((kernel.name, module));
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
    pub fn bind(&self, dispatch: &Dispatch, params: &Uniforms, slot: usize, slices: &[Slice<'_>]) -> Task {
        let kernel = dispatch.kernel;
        assert_eq!(slices.len(), kernel.inputs + 1, "buffers of {}", kernel.name);
        let key = key_of(dispatch);
        let pipeline = self.0.pipelines.borrow()[&key].clone();
        let uniform = wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer: &params.allocation.buffer,
            offset: params.stride * slot as u64,
            size: wgpu::BufferSize::new(dispatch.params.len() as u64),
        });
        let storage = slices.iter().map(|slice| {
            wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer: &slice.buffer.0.buffer,
                offset: slice.offset(),
                size: wgpu::BufferSize::new(slice.bytes()),
            })
        });
        let resources = std::iter::once(uniform).chain(storage);
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
            layout: None,
            module,
            entry_point: Some(kernel.name),
            compilation_options: wgpu::PipelineCompilationOptions { constants: &constants, ..Default::default() },
            cache: None,
        })
    }
}
