//! Known devices as clients see them, and forgetting them. Only the owner of a device reaches it.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};

use crate::{
    db::entity::devices,
    domain::device,
    graphql::{
        outcome_label::Reported,
        parts,
        relay::{self, Kind},
    },
};

/// A browser that signed in before.
#[derive(Clone)]
pub(crate) struct Device(devices::Model);

impl From<devices::Model> for Device {
    fn from(model: devices::Model) -> Self {
        Self(model)
    }
}

/// A browser that signed in before. It has sending and guessing allowances of its own, so that nobody else can use
/// them up; it cannot sign in by itself.
#[Object]
impl Device {
    /// Opaque and typed; see `node`.
    pub(crate) async fn id(&self) -> ID {
        relay::encode(Kind::Device, self.0.id)
    }

    /// The first sign-in from it.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// The latest sign-in from it.
    async fn last_used_at(&self) -> DateTime<Utc> {
        self.0.last_used_at
    }

    /// When it is forgotten by itself.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.0.expires_at
    }

    /// The software, as it called itself at the latest sign-in.
    async fn user_agent(&self) -> Option<&str> {
        self.0.user_agent.as_deref()
    }

    /// The address of the latest sign-in, while it is kept.
    async fn ip_address(&self) -> Option<&str> {
        self.0.ip_address.as_deref()
    }
}

/// Which device to forget.
#[derive(InputObject)]
struct ForgetDeviceInput {
    /// One of your devices.
    id: ID,
}

/// The device is forgotten.
#[derive(SimpleObject)]
struct ForgetDeviceResult {
    /// The device that was forgotten.
    device_id: ID,
}

#[derive(Default)]
pub(crate) struct DeviceMutation;

#[Object]
impl DeviceMutation {
    /// Forgets a device: its next sign-in is treated like a stranger's. Its open session goes on.
    async fn forget_device(&self, ctx: &Context<'_>, input: ForgetDeviceInput) -> Reported<ForgetDeviceResult> {
        let (domain, viewer) = parts(ctx);
        let id = relay::decode_as(Kind::Device, &input.id)?;
        device::forget(domain, viewer.person()?, id).await?;
        Ok(ForgetDeviceResult { device_id: input.id }.into())
    }
}
