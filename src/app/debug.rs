//! `?debug=1`: for tests in a real browser, `window.splitlens.reading()` is the last reading, `.memory()` what is in
//! use, and `.compileAll()` resolves to the number of pipelines, once every one has compiled.

use js_sys::{ArrayBuffer, JSON, Object, Promise, Reflect, WebAssembly};
use leptos::prelude::*;
use serde::Serialize;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::future_to_promise;

use super::dom;
use super::session::Session;
use super::state::{Analysis, Kept, State};
use crate::gpu::{Gpu, GpuError};
use crate::kernels::every_pipeline;
use crate::reading::UnitReading;

#[derive(Serialize)]
struct Report<'a> {
    run: u64,
    network: &'a str,
    /// Of the input, in pixels.
    side: usize,
    logits: &'a [f32],
    units: Vec<UnitReport<'a>>,
    /// As the command's `--gates` has it.
    replaced: Vec<String>,
    /// Where gates were replaced: the logits without.
    untouched: Option<&'a [f32]>,
}

#[derive(Serialize)]
struct UnitReport<'a> {
    /// timm's module path.
    name: &'a str,
    /// Branches x channels.
    attention: Vec<&'a [f32]>,
    /// Relative, see [`UnitReading::residual`].
    residual: f32,
}

/// Memory in use, in bytes.
#[derive(Serialize)]
struct Memory {
    /// Networks that stay on the device.
    networks: usize,
    /// Their part of the device's memory, by the engine's own account.
    device: u64,
    device_budget: u64,
    /// All that the engine holds on the device, read-backs under way included.
    allocated: u64,
    /// The program's own; it never shrinks.
    program: u32,
}

impl Memory {
    fn new(Kept { networks, bytes, budget_bytes }: Kept, allocated: u64) -> Self {
        let program = wasm_bindgen::memory().unchecked_into::<WebAssembly::Memory>().buffer();
        let program = program.unchecked_into::<ArrayBuffer>().byte_length();
        Self { networks, device: bytes, device_budget: budget_bytes, allocated, program }
    }
}

impl<'a> UnitReport<'a> {
    fn new(unit: &'a UnitReading) -> Self {
        Self {
            name: &unit.name,
            attention: (0..unit.branches()).map(|branch| unit.gates.branch(branch)).collect(),
            residual: unit.residual().relative,
        }
    }
}

/// Puts the object on the window, if the page's address asks for it.
pub fn expose(state: State, session: Session) {
    if dom::query("debug").as_deref() != Some("1") {
        return;
    }
    let reading = move || state.analysis.with_untracked(|analysis| to_js(&analysis.as_deref().map(report)));
    let reading = Closure::<dyn Fn() -> JsValue>::new(reading).into_js_value();
    let memory = move || {
        let allocated = session.gpu().map_or(0, |gpu| gpu.allocated_bytes());
        let memory = state.host.with_untracked(|host| host.as_ref().map(|host| Memory::new(host.kept, allocated)));
        to_js(&memory)
    };
    let memory = Closure::<dyn Fn() -> JsValue>::new(memory).into_js_value();
    let compile_all = move || {
        let gpu = session.gpu();
        future_to_promise(async move {
            let gpu = gpu.ok_or_else(|| JsValue::from_str("no device is open"))?;
            let compiled = compile_all(&gpu).await;
            compiled.map(JsValue::from).map_err(|error| JsValue::from_str(&error.to_string()))
        })
    };
    let compile_all = Closure::<dyn Fn() -> Promise>::new(compile_all).into_js_value();
    let object = Object::new();
    let exposed = Reflect::set(&object, &"reading".into(), &reading)
        .and_then(|_| Reflect::set(&object, &"memory".into(), &memory))
        .and_then(|_| Reflect::set(&object, &"compileAll".into(), &compile_all))
        .and_then(|_| Reflect::set(&window(), &"splitlens".into(), &object));
    if let Err(error) = exposed {
        leptos::logging::error!("{}", dom::message(&error));
    }
}

fn to_js(value: &impl Serialize) -> JsValue {
    let json = serde_json::to_string(value).ok();
    json.and_then(|json| JSON::parse(&json).ok()).unwrap_or(JsValue::NULL)
}

async fn compile_all(gpu: &Gpu) -> Result<u32, GpuError> {
    let mut compiled = 0;
    for dispatch in
        every_pipeline().into_iter().filter(|dispatch| !dispatch.kernel.needs_subgroups() || gpu.has_quads())
    {
        gpu.compile(&dispatch).await?;
        compiled += 1;
    }
    Ok(compiled)
}

fn report(analysis: &Analysis) -> Report<'_> {
    let what_if = analysis.what_if.as_ref();
    Report {
        run: analysis.run,
        network: analysis.model.variant.id,
        side: analysis.side,
        logits: &analysis.reading.logits,
        units: analysis.reading.units.iter().map(UnitReport::new).collect(),
        replaced: what_if.map(|what_if| what_if.replacements.assignments()).unwrap_or_default(),
        untouched: what_if.map(|what_if| what_if.untouched.reading.logits.as_slice()),
    }
}
