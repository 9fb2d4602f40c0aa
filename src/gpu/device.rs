use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use futures_channel::oneshot;

use super::GpuError;
use super::pipeline::{ModuleKey, PipelineKey};
use crate::kernels::{Loads, Pointwise, Tile, Tuning};

/// The adapter, in words for the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterInfo {
    /// As the driver or browser names it; a browser may tell little.
    pub name: String,
    /// Whether it is the processor at work rather than a graphics card.
    pub software: bool,
    /// The interface underneath, for example `Vulkan` or `BrowserWebGpu`.
    pub backend: String,
    /// Whether it tells by its own clock how long work took, see [`Gpu::clock`].
    pub timestamps: bool,
    /// Invocations of its smallest and largest subgroup; none where it has no subgroups, or does not say.
    pub subgroups: Option<(u32, u32)>,
    /// Whether its shaders can compute with floats of 16 bits.
    pub f16: bool,
}

/// A device with its queue and the pipelines made so far. Clones share it.
#[derive(Clone)]
pub struct Gpu(pub(super) Rc<Inner>);

impl PartialEq for Gpu {
    /// Whether both are the same device.
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

pub(super) struct Inner {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub pipelines: RefCell<HashMap<PipelineKey, wgpu::ComputePipeline>>,
    /// Takes the texel at a place, and mixes none.
    pub nearest: wgpu::Sampler,
    /// By the kernel: a module serves all pipelines of its kernel.
    pub modules: RefCell<Vec<(ModuleKey, wgpu::ShaderModule)>>,
    /// Bytes of the buffers and textures that have not been dropped.
    pub allocated: Rc<Cell<u64>>,
    adapter: AdapterInfo,
    tuning: Cell<Tuning>,
    state: Arc<Mutex<State>>,
    lost: RefCell<Option<oneshot::Receiver<String>>>,
}

/// What the device's callbacks report, from whichever thread they run on.
#[derive(Default)]
struct State {
    lost: Option<String>,
    error: Option<GpuError>,
}

impl Gpu {
    /// The fastest adapter's device, within the default limits, so that every WebGPU device will do. Of what not
    /// every device can, it is asked for timestamps and subgroups.
    pub async fn open() -> Result<Self, GpuError> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
        #[cfg(target_arch = "wasm32")]
        if !wgpu::util::is_browser_webgpu_supported().await {
            return Err(GpuError::NoWebGpu);
        }
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..Default::default()
        };
        let adapter = instance.request_adapter(&options).await;
        let adapter = adapter.map_err(|error| GpuError::NoAdapter(error.to_string()))?;
        let required_features = adapter.features() & (wgpu::Features::TIMESTAMP_QUERY | wgpu::Features::SUBGROUP);
        #[cfg(target_arch = "wasm32")]
        super::subgroups::request_with_next_device();
        let descriptor = wgpu::DeviceDescriptor { label: Some("splitlens"), required_features, ..Default::default() };
        let (device, queue) =
            adapter.request_device(&descriptor).await.map_err(|error| GpuError::Device(error.to_string()))?;

        let state = Arc::new(Mutex::new(State::default()));
        let (sender, receiver) = oneshot::channel();
        let sender = Mutex::new(Some(sender));
        device.set_device_lost_callback({
            let state = state.clone();
            move |reason, message| {
                let reason = if message.is_empty() { format!("{reason:?}") } else { message };
                lock(&state).lost = Some(reason.clone());
                if let Some(sender) = lock(&sender).take() {
                    // Nobody has to listen.
                    let _ = sender.send(reason);
                }
            }
        });
        device.on_uncaptured_error({
            let state = state.clone();
            Arc::new(move |error: wgpu::Error| {
                lock(&state).error.get_or_insert(error.into());
            })
        });
        let adapter = describe(&adapter, &device);
        let lost = RefCell::new(Some(receiver));
        let tuning = Cell::new(first_tuning(&adapter));
        let nearest = device.create_sampler(&Default::default());
        let (pipelines, modules, allocated) = Default::default();
        Ok(Self(Rc::new(Inner { device, queue, nearest, pipelines, modules, allocated, adapter, tuning, state, lost })))
    }

    pub fn adapter(&self) -> &AdapterInfo {
        &self.0.adapter
    }

    /// The kernels for networks that are loaded from now on.
    pub fn tuning(&self) -> Tuning {
        self.0.tuning.get()
    }

    /// The kernels that it is given until others are found to be faster.
    pub fn first_tuning(&self) -> Tuning {
        first_tuning(&self.0.adapter)
    }

    /// Whether it can be given kernels with quads.
    pub fn has_quads(&self) -> bool {
        has_quads(&self.0.adapter)
    }

    /// In place of quads it has textures alone where the device has no quads.
    pub fn set_tuning(&self, tuning: Tuning) {
        let loads = match tuning.loads {
            Loads::Quads if !self.has_quads() => Loads::Textures,
            loads => loads,
        };
        self.0.tuning.set(Tuning { loads, ..tuning });
    }

    /// Waits until the device is lost and returns the reason. The first caller's to have: later calls
    /// wait for ever.
    pub async fn wait_lost(&self) -> String {
        let receiver = self.0.lost.borrow_mut().take();
        match receiver {
            Some(receiver) => receiver.await.unwrap_or_else(|_| "the device was closed".into()),
            None => std::future::pending().await,
        }
    }

    /// Destroys the device, as a driver's reset would: for trying out recovery.
    pub fn lose(&self) {
        self.0.device.destroy();
    }

    /// Bytes of the largest buffer that a kernel can be given; a texture is given no more.
    pub fn max_binding_bytes(&self) -> u64 {
        self.0.device.limits().max_storage_buffer_binding_size
    }

    /// Runs `work` and returns an error that the device raised in it: that memory ran out before what came of it, since
    /// what cannot be made is not valid afterwards.
    pub async fn checked<T>(&self, work: impl FnOnce() -> T) -> Result<T, GpuError> {
        let scopes = [wgpu::ErrorFilter::OutOfMemory, wgpu::ErrorFilter::Validation, wgpu::ErrorFilter::Internal]
            .map(|filter| self.0.device.push_error_scope(filter));
        let value = work();
        // All are popped at once, innermost first: the futures only wait for the answers.
        let [outer, middle, inner] = scopes;
        let answers = [inner.pop(), middle.pop(), outer.pop()];
        let mut outermost = None;
        for answer in answers {
            outermost = answer.await.or(outermost);
        }
        self.health()?;
        outermost.map_or(Ok(value), |error| Err(error.into()))
    }

    /// Whether the device still works: an error that no call reported, or its loss.
    pub(super) fn health(&self) -> Result<(), GpuError> {
        let mut state = lock(&self.0.state);
        if let Some(reason) = &state.lost {
            return Err(GpuError::Lost(reason.clone()));
        }
        state.error.take().map_or(Ok(()), Err)
    }
}

/// A callback that panicked leaves the state as it was, which is still true.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn describe(adapter: &wgpu::Adapter, device: &wgpu::Device) -> AdapterInfo {
    let (info, features) = (adapter.get_info(), adapter.features());
    let known = [info.name.clone(), info.driver.clone(), browser_name(device)];
    let name = known.into_iter().find(|name| !name.is_empty()).unwrap_or_else(|| "unnamed adapter".into());
    let software = info.device_type == wgpu::DeviceType::Cpu
        || is_swiftshader(&name)
        || ["llvmpipe", "lavapipe", "basic render"].iter().any(|word| name.to_lowercase().contains(word));
    AdapterInfo {
        name,
        software,
        backend: format!("{:?}", info.backend),
        timestamps: device.features().contains(wgpu::Features::TIMESTAMP_QUERY),
        subgroups: subgroups(&info, device),
        f16: features.contains(wgpu::Features::SHADER_F16),
    }
}

/// Chromium's WebGPU on the processor, which compiles shaders quickly and plainly.
fn is_swiftshader(name: &str) -> bool {
    name.to_lowercase().contains("swiftshader")
}

/// Whether invocations can exchange values in fours. On graphics cards, where nothing has been measured, they are not asked
/// to.
fn has_quads(adapter: &AdapterInfo) -> bool {
    adapter.software && adapter.subgroups.is_some_and(|(smallest, _)| smallest >= 4)
}

/// A graphics card has thousands of invocations to work with: one alone would wait for each of a long sum's loads.
fn first_tuning(adapter: &AdapterInfo) -> Tuning {
    let loads = match adapter.software {
        true if has_quads(adapter) => Loads::Quads,
        true => Loads::Textures,
        false => Loads::Buffers,
    };
    // What SwiftShader makes of a wider tile is too long for the processor's cache of instructions.
    let pointwise = match loads == Loads::Quads && is_swiftshader(&adapter.name) {
        true => Pointwise::Registers(Tile::Narrow),
        false => Tuning::default().pointwise,
    };
    Tuning { loads, pointwise, shared_sums: !adapter.software, ..Tuning::default() }
}

fn subgroups(info: &wgpu::AdapterInfo, device: &wgpu::Device) -> Option<(u32, u32)> {
    #[cfg(target_arch = "wasm32")]
    let has_some = device.as_webgpu().is_some_and(|device| device.features().has("subgroups"));
    #[cfg(not(target_arch = "wasm32"))]
    let has_some = device.features().contains(wgpu::Features::SUBGROUP);
    has_some.then_some((info.subgroup_min_size, info.subgroup_max_size))
}

/// Vendor and architecture as the browser gives them, for example `google swiftshader`; wgpu passes on
/// only a description, which browsers leave empty.
#[cfg(target_arch = "wasm32")]
fn browser_name(device: &wgpu::Device) -> String {
    let get = |object: &wasm_bindgen::JsValue, name: &str| js_sys::Reflect::get(object, &name.into());
    let words = || {
        let info = get(device.as_webgpu()?.as_ref(), "adapterInfo").ok()?;
        let word = |name| get(&info, name).ok()?.as_string();
        Some([word("vendor")?, word("architecture")?].join(" "))
    };
    words().unwrap_or_default().trim().to_string()
}

#[cfg(not(target_arch = "wasm32"))]
fn browser_name(_: &wgpu::Device) -> String {
    String::new()
}
