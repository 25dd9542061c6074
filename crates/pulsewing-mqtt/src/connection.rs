//! One connection to the broker: how it is made, and how it ends.

use std::{sync::Arc, time::Duration};

use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, LastWill, MqttOptions,
    NetworkOptions, Packet, QoS,
};
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

use crate::{
    Settings,
    command::MAX_SAMPLES,
    ear::Ear,
    link::{Ports, stopped},
    session::{FAREWELL, Session},
    socket,
    topics::Topics,
};

/// The time between two signs of life, in seconds. A broker tells of our death after one and a half times this.
const KEEP_ALIVE: u16 = 30;

/// The time for the way to the broker and its welcome, in seconds.
const CONNECT: u64 = 15;

/// The time after a request to stop after which nothing is waited for.
const PATIENCE: Duration = FAREWELL.saturating_add(Duration::from_secs(1));

/// The most bytes of a message that comes in.
const MAX_MESSAGE: usize = 1_024 * 1_024;

/// The most messages between us and the client.
const QUEUE: usize = 16;

/// The most things heard that wait.
const HEARD: usize = 256;

/// The end of a connection.
#[derive(Debug)]
pub(crate) enum Ended {
    /// All is done.
    Done,
    /// It could not be made, or it broke.
    Failed(Trouble),
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("the broker refuses the user name or the password")]
    Login,
    #[error("the broker refuses the connection ({0:?})")]
    Refused(ConnectReturnCode),
    #[error("the broker does not answer")]
    NoAnswer,
    #[error("the broker does not let us listen to {0}")]
    NotSubscribed(String),
    #[error("no connection to the broker ({0})")]
    Connection(String),
}

impl From<ConnectionError> for Trouble {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::ConnectionRefused(
                ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
            ) => Self::Login,
            ConnectionError::ConnectionRefused(code) => Self::Refused(code),
            ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => Self::NoAnswer,
            ConnectionError::Io(error) => Self::Connection(error.to_string()),
            other => Self::Connection(other.to_string()),
        }
    }
}

/// Connects, and does everything until the connection breaks or somebody asks to stop.
pub(crate) async fn run(
    settings: &Settings,
    topics: &Topics,
    ports: &mut Ports,
    removes: bool,
) -> Ended {
    let options = options(settings, topics, removes);
    let built = AsyncClient::builder(options).capacity(QUEUE).try_build();
    let (client, mut events) = match built {
        Ok(built) => built,
        Err(error) => return Ended::Failed(Trouble::Connection(error.to_string())),
    };
    let mut network = NetworkOptions::new();
    network.set_connection_timeout(CONNECT);
    events.set_network_options(network);
    let mut stop = ports.stop.clone();
    tokio::select! {
        biased;
        () = stopped(&mut stop) => return Ended::Done,
        connected = connected(&mut events) => if let Err(trouble) = connected {
            return Ended::Failed(trouble);
        },
    }
    tracing::info!(broker = %settings.broker, "MQTT: connected");
    let (to_session, heard) = mpsc::channel(HEARD);
    let ear = Ear {
        topics,
        household: ports.household.clone(),
        commands: ports.commands.clone(),
        session: to_session,
    };
    let session = Session::new(settings, topics, &client, ports, heard);
    let mut driver = std::pin::pin!(ear.listen(&mut events));
    let work = async {
        match removes {
            true => session.remove_all().await,
            false => session.live().await,
        }
    };
    let overdue = async {
        stopped(&mut stop).await;
        sleep(PATIENCE).await;
    };
    let worked = tokio::select! {
        biased;
        trouble = &mut driver => return Ended::Failed(trouble),
        worked = work => worked,
        // It waits for an answer that does not come. The broker will notice that we are gone.
        () = overdue => return Ended::Done,
    };
    match worked {
        Ok(()) => {
            if client.try_disconnect().is_ok() {
                // It ends with the disconnect that it has sent, or with the connection.
                let _ = timeout(FAREWELL, driver).await;
            }
            Ended::Done
        }
        Err(trouble) => Ended::Failed(trouble),
    }
}

fn options(settings: &Settings, topics: &Topics, removes: bool) -> MqttOptions {
    let broker = &settings.broker;
    // The same each time: the broker ends an old connection of ours that it still believes in.
    let id = format!("pulsewing-{}", settings.node);
    let mut options = MqttOptions::new(id, (broker.host(), broker.port()));
    options.set_keep_alive(KEEP_ALIVE);
    options.set_clean_session(true);
    options.set_max_packet_size(MAX_MESSAGE, MAX_MESSAGE);
    if !removes {
        let topic = topics.availability();
        options.set_last_will(LastWill::new(topic, "offline", QoS::AtLeastOnce, true));
    }
    if let Some(login) = &settings.login {
        let password = login.password().as_bytes().to_vec();
        match password.is_empty() {
            true => options.set_username(login.username()),
            false => options.set_credentials(login.username(), password),
        };
    }
    let address = broker.clone();
    match broker.has_tls() {
        true => {
            let tls = Arc::clone(&settings.tls);
            options.set_socket_connector(move |_, _| {
                let (address, tls) = (address.clone(), Arc::clone(&tls));
                async move { socket::encrypted(&address, tls).await }
            });
        }
        false => {
            options.set_socket_connector(move |_, _| {
                let address = address.clone();
                async move { socket::plain(&address).await }
            });
        }
    }
    options
}

/// Waits for the broker's welcome.
async fn connected(events: &mut EventLoop) -> Result<(), Trouble> {
    loop {
        if let Event::Incoming(Packet::ConnAck(_)) = events.poll().await? {
            return Ok(());
        }
    }
}

const _: () = assert!(
    MAX_SAMPLES + 1_024 < MAX_MESSAGE,
    "heart rates at their limit do not fit into a message"
);
