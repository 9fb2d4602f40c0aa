// Sums over the invocations of a workgroup.

const WORKGROUP: u32 = 64u;

var<workgroup> sums: array<vec4<f32>, WORKGROUP>;

// The sum of all invocations' own, for invocation 0; the others get parts of it.
fn sum_of_workgroup(local: u32, own: vec4<f32>) -> vec4<f32> {
    sums[local] = own;
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (local < half) {
            sums[local] += sums[local + half];
        }
    }
    return sums[local];
}
