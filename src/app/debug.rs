//! `?debug=1`: for tests in a real browser, `window.splitlens.reading()` is the last reading and
//! `window.splitlens.compileAll()` resolves to the number of pipelines, once every one has compiled.

use js_sys::{JSON, Object, Promise, Reflect};
use leptos::prelude::*;
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen_futures::future_to_promise;

use super::dom;
use super::session::Session;
use super::state::{Analysis, State};
use crate::gpu::{Gpu, GpuError};
use crate::kernels::every_pipeline;
use crate::reading::UnitReading;

#[derive(Serialize)]
struct Report<'a> {
    run: u64,
    network: &'a str,
    logits: &'a [f32],
    units: Vec<UnitReport<'a>>,
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
    let reading = move || {
        let json = state.analysis.with_untracked(|analysis| serde_json::to_string(&analysis.as_deref().map(report)));
        json.ok().and_then(|json| JSON::parse(&json).ok()).unwrap_or(JsValue::NULL)
    };
    let reading = Closure::<dyn Fn() -> JsValue>::new(reading).into_js_value();
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
        .and_then(|_| Reflect::set(&object, &"compileAll".into(), &compile_all))
        .and_then(|_| Reflect::set(&window(), &"splitlens".into(), &object));
    if let Err(error) = exposed {
        leptos::logging::error!("{}", dom::message(&error));
    }
}

async fn compile_all(gpu: &Gpu) -> Result<u32, GpuError> {
    let mut compiled = 0;
    for dispatch in every_pipeline() {
        gpu.compile(&dispatch).await?;
        compiled += 1;
    }
    Ok(compiled)
}

fn report(analysis: &Analysis) -> Report<'_> {
    Report {
        run: analysis.run,
        network: analysis.model.variant.id,
        logits: &analysis.reading.logits,
        units: analysis.reading.units.iter().map(UnitReport::new).collect(),
    }
}
