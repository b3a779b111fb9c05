//! The `Device` type and `forgetDevice`.

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

#[derive(Clone)]
pub(crate) struct Device(devices::Model);

impl From<devices::Model> for Device {
    fn from(model: devices::Model) -> Self {
        Self(model)
    }
}

/// A device on which the user has signed in before. It has its own rate limits for `login` and `verify`, which
/// strangers can't use up. A device token alone signs no one in.
#[Object]
impl Device {
    /// The ID of the device, for `node`.
    pub(crate) async fn id(&self) -> ID {
        relay::encode(Kind::Device, self.0.id)
    }

    /// The time of the first sign-in on this device.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// The time of the latest sign-in on this device.
    async fn last_used_at(&self) -> DateTime<Utc> {
        self.0.last_used_at
    }

    /// The time at which the device is forgotten unless it is used again.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.0.expires_at
    }

    /// The `User-Agent` header of the latest sign-in.
    async fn user_agent(&self) -> Option<&str> {
        self.0.user_agent.as_deref()
    }

    /// The IP address of the latest sign-in. `null` once it is erased.
    async fn ip_address(&self) -> Option<&str> {
        self.0.ip_address.as_deref()
    }
}

/// Input of `forgetDevice`.
#[derive(InputObject)]
struct ForgetDeviceInput {
    /// The ID of one of your devices.
    id: ID,
}

/// The result of `forgetDevice`.
#[derive(SimpleObject)]
struct ForgetDeviceResult {
    /// The ID of the forgotten device.
    device_id: ID,
}

#[derive(Default)]
pub(crate) struct DeviceMutation;

#[Object]
impl DeviceMutation {
    /// Forgets one of your devices, which then loses its own rate limits. Its open session continues. Fails with
    /// `NOT_FOUND` for any other device.
    async fn forget_device(&self, ctx: &Context<'_>, input: ForgetDeviceInput) -> Reported<ForgetDeviceResult> {
        let (domain, viewer) = parts(ctx);
        let id = relay::decode_as(Kind::Device, &input.id)?;
        device::forget(domain, viewer.person()?, id).await?;
        Ok(ForgetDeviceResult { device_id: input.id }.into())
    }
}
