//! The way to the broker: TCP, and TLS around it.

use std::{io, sync::Arc};

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::BrokerAddress;

/// Connects with TCP.
pub(crate) async fn plain(address: &BrokerAddress) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((address.host(), address.port())).await?;
    // Messages are small and somebody waits for them.
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Connects with TLS, to the name in the address.
pub(crate) async fn encrypted(
    address: &BrokerAddress,
    tls: Arc<rustls::ClientConfig>,
) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(address.host().to_owned())
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let stream = plain(address).await?;
    TlsConnector::from(tls).connect(name, stream).await
}
