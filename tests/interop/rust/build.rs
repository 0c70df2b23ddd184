//! Generates the stubs without `protoc`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let proto = std::env::var("FALCO_PROTO")?;
    let files = ["outputs.proto", "version.proto", "legacy_output.proto"];
    println!("cargo:rerun-if-env-changed=FALCO_PROTO");
    println!("cargo:rerun-if-changed={proto}");
    let descriptors = protox::compile(files, [&proto])?;
    tonic_prost_build::configure()
        .build_server(false)
        .compile_fds(descriptors)?;
    Ok(())
}
