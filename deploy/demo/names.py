"""Customers who do not exist: Chinese names, telephone numbers nobody has, and what people say."""

from random import Random

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
GIVEN = (
    "伟 芳 娜 敏 静 丽 强 磊 军 洋 勇 艳 杰 娟 涛 明 超 霞 平 刚 桂英 建华 文静 志强 雨桐 子涵 浩然 思远 欣怡 梓萱 宇航 佳琪 晓明 海燕 俊杰 雪梅 "
    "建国 丽华 嘉怡 天宇 一诺 若曦 晨光 立新 春梅 国栋 慧敏 永康 诗涵 博文 景行 婉清 家豪 亦凡 书瑶 振宇"
).split()

CHANNELS = {
    "walk-in": 20,
    "phone": 12,
    "website": 12,
    "mini-program": 12,
    "third-party": 14,
    "social": 8,
    "ad": 6,
    "referral": 6,
    "auto-show": 4,
    "campaign": 4,
    "partner": 2,
}
"""Where people come from, with weights."""
INTENTS = {"order": 6, "buy": 28, "test-drive": 26, "compare": 22, "browse": 18}

COMMENTS = (
    "冬天续航能打几折？",
    "想置换家里的旧车，能评估一下吗？",
    "周末带家人来看车，有试驾车吗？",
    "和同事推荐的竞品对比一下价格。",
    "首付三成、三年期的月供是多少？",
    "什么时候能提现车？白色有吗？",
    "保养一次多少钱，几个月一次？",
    "公司用车，需要开专票。",
    "",
    "",
)
SAID = (
    "客户认可外观，关注续航与充电便利，约周末到店。",
    "已发送配置表和金融方案，客户本周与家人商量。",
    "客户对比竞品后更倾向我方，主要顾虑价格。",
    "客户旧车待评估，需二手车同事配合。",
    "电话未尽兴，客户要求微信继续沟通。",
    "客户意向明确，等年终奖后下单。",
)
PLANS = ("邀约试驾", "发送报价", "再次电话", "到店洽谈", "置换评估")
DOUBTS = ("price", "range", "delivery", "trade-in", "finance", "competitor", "family")
LOST_FOR = ("not-reached", "no-budget", "bought-elsewhere", "no-interest", "not-now")


def name_of(random: Random) -> str:
    """A surname and a given name."""
    return random.choice(SURNAMES) + random.choice(GIVEN)


def phone_of(number: int) -> str:
    """A mobile number of valid form in a block that is not handed out, each number once."""
    return f"1990000{number:04}"


def weighted(random: Random, weights: dict[str, int]) -> str:
    """One of the keys, the heavier the more often."""
    return random.choices(list(weights), list(weights.values()))[0]
