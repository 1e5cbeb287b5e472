//! Clients that somebody else wrote, as they are.

#[tokio::test]
async fn mosquitto_clients() {}
