import numpy as np


class ShenJingWangLuo:
    def __init__(self, cengshu, xuexilv=0.2, dongliang=0.8):
        np.random.seed(88)
        self.quanzhong = []
        self.pianzhi = []
        self.sudu_q = []
        self.sudu_p = []
        for shuru, shuchu in zip(cengshu[:-1], cengshu[1:]):
            self.quanzhong.append(np.random.randn(shuru, shuchu) * np.sqrt(1.0 / shuru))
            self.pianzhi.append(np.zeros(shuchu))
            self.sudu_q.append(np.zeros((shuru, shuchu)))
            self.sudu_p.append(np.zeros(shuchu))
        self.xuexilv = xuexilv
        self.dongliang = dongliang

    def qianxiang(self, x):
        self.jihuo = [x]
        for k, (q, p) in enumerate(zip(self.quanzhong, self.pianzhi)):
            x = x.dot(q) + p
            if k < len(self.quanzhong) - 1:
                x = np.tanh(x)
            self.jihuo.append(x)
        zhishu = np.exp(x - x.max(axis=1)[:, None])
        return zhishu / zhishu.sum(axis=1)[:, None]

    def sunshi(self, gailv, biaoqian):
        return -np.mean(np.log(gailv[np.arange(len(biaoqian)), biaoqian]))

    def fanxiang(self, gailv, biaoqian):
        yangben = len(biaoqian)
        cha = gailv - np.eye(gailv.shape[1])[biaoqian]
        cha /= yangben
        tidu_q, tidu_p = [], []
        for k in reversed(range(len(self.quanzhong))):
            tidu_q.append(self.jihuo[k].T.dot(cha))
            tidu_p.append(cha.sum(axis=0))
            if k:
                cha = cha.dot(self.quanzhong[k].T) * (1 - self.jihuo[k] ** 2)
        return tidu_q[::-1], tidu_p[::-1]

    def gengxin(self, tidu_q, tidu_p):
        for k in range(len(self.quanzhong)):
            self.sudu_q[k] = self.dongliang * self.sudu_q[k] + tidu_q[k]
            self.sudu_p[k] = self.dongliang * self.sudu_p[k] + tidu_p[k]
            self.quanzhong[k] -= self.xuexilv * self.sudu_q[k]
            self.pianzhi[k] -= self.xuexilv * self.sudu_p[k]

    def xunlian(self, x, biaoqian, cishu):
        for ci in range(cishu):
            gailv = self.qianxiang(x)
            if ci % 20 == 0:
                print("di", ci, "ci, sunshi:", self.sunshi(gailv, biaoqian))
            tidu_q, tidu_p = self.fanxiang(gailv, biaoqian)
            self.gengxin(tidu_q, tidu_p)


suiji = np.random.RandomState(6)
x = suiji.randn(70, 3)
biaoqian = (x[:, 0] > 0).astype(int) + (x[:, 1] * x[:, 2] > 0).astype(int)
wangluo = ShenJingWangLuo([3, 8, 6, 3])
wangluo.xunlian(x, biaoqian, 101)
