use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(inline_js = "
export function request_with_next_device() {
  const adapter = GPUAdapter.prototype;
  const request = adapter.requestDevice;
  adapter.requestDevice = function (descriptor) {
    adapter.requestDevice = request;
    const more = this.features.has('subgroups') ? ['subgroups'] : [];
    const requiredFeatures = [...(descriptor.requiredFeatures ?? []), ...more];
    return request.call(this, { ...descriptor, requiredFeatures });
  };
}
")]
extern "C" {
    /// Has the next device that is asked for have subgroups, where its adapter has: wgpu 30 knows them, but has
    /// no name for them in a browser.
    pub fn request_with_next_device();
}
