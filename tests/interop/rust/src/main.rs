//! A client with tonic, driven by tests/interop/main.ts. See ../README.md for what it prints.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use serde_json::{json, Value};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Request, Status, Streaming};

mod falco {
    pub mod schema {
        tonic::include_proto!("falco.schema");
    }
    pub mod outputs {
        tonic::include_proto!("falco.outputs");
    }
    pub mod output {
        tonic::include_proto!("falco.output");
    }
    pub mod version {
        tonic::include_proto!("falco.version");
    }
}

use falco::output::service_client::ServiceClient as LegacyClient;
use falco::outputs::service_client::ServiceClient as OutputsClient;
use falco::version::service_client::ServiceClient as VersionClient;

const POLL: Duration = Duration::from_millis(50);
const BACK_OFF: Duration = Duration::from_millis(50);

/// Alerts of either time, as they are printed.
trait Printable {
    fn to_json(&self) -> Value;
}

impl Printable for falco::outputs::Response {
    fn to_json(&self) -> Value {
        let time = self.time.unwrap_or_default();
        json!({
            "seconds": time.seconds.to_string(),
            "nanos": time.nanos,
            "priority": self.priority,
            "rule": self.rule,
            "output": self.output,
            "output_fields": self.output_fields,
            "hostname": self.hostname,
            "tags": self.tags,
            "source": self.source,
        })
    }
}

impl Printable for falco::output::Response {
    fn to_json(&self) -> Value {
        let time = self.time.unwrap_or_default();
        json!({
            "seconds": time.seconds.to_string(),
            "nanos": time.nanos,
            "priority": self.priority,
            "rule": self.rule,
            "output": self.output,
            "output_fields": self.output_fields,
            "hostname": self.hostname,
            "tags": [],
            // Before 0.31 the source was a number alone.
            "source": self.source().as_str_name().to_lowercase(),
        })
    }
}

fn say(name: &str, value: Value) {
    println!("{}", json!({ name: value }));
}

/// The number of a status, and its words on standard error.
fn code_of(status: &Status) -> i32 {
    eprintln!("{status:?}");
    status.code() as i32
}

/// Prints what comes until there are `wanted` alerts: then the stream is dropped, which is how tonic
/// cancels a call; nobody tells of a status then.
async fn read<T: Printable>(stream: &mut Streaming<T>, count: &mut usize, wanted: usize) -> i32 {
    loop {
        match stream.message().await {
            Ok(Some(alert)) => {
                say("alert", alert.to_json());
                *count += 1;
                if *count == wanted {
                    return Code::Cancelled as i32;
                }
            }
            Ok(None) => return Code::Ok as i32,
            Err(status) => return code_of(&status),
        }
    }
}

/// Asks for alerts until there are `wanted` of them in total.
async fn sub(
    channel: &Channel,
    count: &mut usize,
    wanted: usize,
    deadline: Option<Duration>,
) -> i32 {
    let (requests, receiver) = mpsc::channel(1);
    let polling = tokio::spawn(async move {
        while requests.send(falco::outputs::Request {}).await.is_ok() {
            sleep(POLL).await;
        }
    });
    let mut request = Request::new(ReceiverStream::new(receiver));
    if let Some(deadline) = deadline {
        request.set_timeout(deadline);
    }
    // Returns with the first alert only: that is when Falco sends headers.
    let status = match OutputsClient::new(channel.clone()).sub(request).await {
        Ok(response) => read(&mut response.into_inner(), count, wanted).await,
        Err(status) => code_of(&status),
    };
    polling.abort();
    status
}

async fn watch(endpoint: &Endpoint, wanted: usize) -> i32 {
    let mut count = 0;
    let channel = endpoint.connect_lazy();
    loop {
        let status = sub(&channel, &mut count, wanted, None).await;
        if status == Code::Cancelled as i32 {
            return status;
        }
        say("end", json!(status));
        sleep(BACK_OFF).await;
    }
}

async fn subscribe(channel: &Channel, keepalive: bool, wanted: usize) -> i32 {
    let request = falco::output::Request { keepalive };
    match LegacyClient::new(channel.clone()).subscribe(request).await {
        Ok(response) => read(&mut response.into_inner(), &mut 0, wanted).await,
        Err(status) => code_of(&status),
    }
}

async fn version(channel: &Channel) -> i32 {
    let request = falco::version::Request {};
    match VersionClient::new(channel.clone()).version(request).await {
        Ok(answer) => {
            say("version", json!(answer.into_inner().version));
            Code::Ok as i32
        }
        Err(status) => code_of(&status),
    }
}

async fn get(channel: &Channel) -> i32 {
    let request = falco::outputs::Request {};
    match OutputsClient::new(channel.clone()).get(request).await {
        Ok(response) => read(&mut response.into_inner(), &mut 0, usize::MAX).await,
        Err(status) => code_of(&status),
    }
}

fn endpoint_of(address: &str, certs: &str) -> Result<Endpoint, Box<dyn Error>> {
    let endpoint = Endpoint::from_shared(address.to_string())?;
    if address.starts_with("unix:") {
        return Ok(endpoint);
    }
    let read = |name: &str| std::fs::read(Path::new(certs).join(name));
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(read("ca.crt")?))
        .identity(Identity::from_pem(read("client.crt")?, read("client.key")?));
    Ok(endpoint.tls_config(tls)?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, certs, mode, rest @ ..] = arguments.as_slice() else {
        return Err("usage: falco-interop ADDRESS CERTS MODE [COUNT]".into());
    };
    let wanted = match rest.first() {
        Some(text) => text.parse()?,
        None => 0,
    };
    let endpoint = endpoint_of(address, certs)?;
    let channel = endpoint.connect_lazy();
    let status = match mode.as_str() {
        "version" => version(&channel).await,
        "get" => get(&channel).await,
        "sub" | "outputs-watch" => sub(&channel, &mut 0, wanted, None).await,
        "idle" => sub(&channel, &mut 0, 1, Some(Duration::from_millis(300))).await,
        "watch" => watch(&endpoint, wanted).await,
        "subscribe" => subscribe(&channel, false, usize::MAX).await,
        "subscribe-keepalive" => subscribe(&channel, true, wanted).await,
        _ => return Err(format!("unknown mode {mode}").into()),
    };
    say("status", json!(status));
    Ok(())
}
