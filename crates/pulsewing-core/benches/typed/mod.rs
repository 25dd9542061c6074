//! The replies' members that are wanted, as serde reads them.

use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct FitbitDay<'a> {
    #[serde(borrow, rename = "activities-heart-intraday")]
    pub(crate) intraday: Intraday<'a>,
}

#[derive(Deserialize)]
pub(crate) struct Intraday<'a> {
    #[serde(borrow)]
    pub(crate) dataset: Vec<Minute<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct Minute<'a> {
    pub(crate) time: &'a str,
    pub(crate) value: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RollupDay<'a> {
    #[serde(borrow)]
    pub(crate) rollup_data_points: Vec<RollupWindow<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RollupWindow<'a> {
    pub(crate) start_time: &'a str,
    pub(crate) heart_rate: Average,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Average {
    pub(crate) beats_per_minute_avg: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RawPage<'a> {
    #[serde(borrow)]
    pub(crate) data_points: Vec<DataPoint<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DataPoint<'a> {
    #[serde(borrow)]
    pub(crate) heart_rate: RawSample<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RawSample<'a> {
    #[serde(borrow)]
    pub(crate) sample_time: SampleTime<'a>,
    pub(crate) beats_per_minute: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SampleTime<'a> {
    pub(crate) physical_time: &'a str,
}
